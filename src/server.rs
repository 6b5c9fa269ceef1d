//! The server: listener, workers, the application, and an orderly end.

use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs as _},
    time::Duration,
};

use actix_http::HttpService;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::{
    App,
    dev::{AppConfig, Server},
    middleware::{Condition, from_fn},
    web::Data,
};
use tokio::{
    net::{TcpSocket, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{
    auth::Auth,
    db::{Db, Reader},
    limits::{Limits, Memory, Rates},
    metrics::Metrics,
    middleware::{
        Hooks, Origin, Watch, check_host, compress, cors, cors_errors, follow, limit_the_rest,
        name_fault, name_request, rate_limit, refuse_malformed, say_caching, secure, time_request,
    },
    routes,
    urls::{Hosts, Proxies},
    wire::{Timeouts, Wire},
};

/// How long actix reads on behind an answer that came before the end of the request's body.
const LINGER: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// How a server is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Threads that serve; each handles many connections.
    pub workers: usize,
    pub rates: Rates,
    pub proxies: Proxies,
    /// For which hosts it is asked.
    pub allowed_hosts: Hosts,
    /// Whose pages may call; with none there is no CORS.
    pub cors_origins: Vec<Origin>,
    pub hooks: Hooks,
    /// A request that takes longer is logged as a warning.
    pub slow_request: Duration,
    pub server_timing: bool,
    /// How long a client may take for the head of a request, or for the start of its body.
    pub client_timeout: Duration,
    /// How long a client may take nothing at all of an answer.
    pub write_timeout: Duration,
    /// How long a connection is kept between two requests.
    pub keep_alive: Duration,
    /// Bytes of a request's body at most.
    pub body_limit: usize,
    /// How long requests in flight may take when the server is told to end.
    pub shutdown_timeout: Duration,
}

/// For tests: a free port of this machine, and everything off that can be switched off.
impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            workers: 1,
            rates: Rates::OFF,
            proxies: Proxies::default(),
            allowed_hosts: Hosts::default(),
            cors_origins: Vec::new(),
            hooks: Hooks::default(),
            slow_request: Duration::from_secs(1),
            server_timing: false,
            client_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            body_limit: 1 << 20,
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// Begins to listen. The server runs when the returned future is polled.
/// It is one long list, so that the whole way of a request is read in one place.
///
/// # Errors
/// When the address cannot be resolved or taken.
pub fn listen(
    db: &Db,
    auth: Auth,
    metrics: Metrics,
    settings: &Settings,
) -> io::Result<(Server, Vec<SocketAddr>)> {
    let (db, auth) = (Data::new(db.clone()), Data::new(auth));
    let reader = Data::new(Reader::from(Db::clone(&db)));
    let limits = Data::new(Limits::new(settings.rates, Memory::default()));
    let proxies = Data::new(settings.proxies.clone());
    let hooks = Data::new(settings.hooks.clone());
    let watch = Data::new(Watch {
        slow: settings.slow_request,
        server_timing: settings.server_timing,
        metrics,
    });
    let shared = Data::new(settings.clone());
    let app = move || {
        App::new()
            .app_data(db.clone())
            .app_data(reader.clone())
            .app_data(auth.clone())
            .app_data(limits.clone())
            .app_data(proxies.clone())
            .app_data(hooks.clone())
            .app_data(watch.clone())
            .app_data(shared.clone())
            // A request goes through these from the last line to the first, and its answer back from the first to the last.
            // 10. Before anything that writes a URL, and behind the limits as every refusal.
            .wrap(from_fn(check_host))
            // 9. Before anything is read of a request that is none.
            .wrap(from_fn(refuse_malformed))
            // 8. Inside of what compresses, for it writes a body.
            .wrap(from_fn(name_fault))
            // 7. Before anything of the request is looked at, so that a flood costs next to nothing.
            .wrap(from_fn(rate_limit))
            // 6. Around every answer with a body, refusals among them, and inside of what measures how large it was.
            .wrap(from_fn(compress))
            // 5. Outside of the limits: a page that was refused must be able to read for how long.
            .wrap(Condition::new(
                !shared.cors_origins.is_empty(),
                cors(&shared.cors_origins),
            ))
            // 4. Around what the one before refuses, for it refuses in plain text; and what it answers by itself counts too.
            .wrap(from_fn(cors_errors))
            .wrap(from_fn(limit_the_rest))
            // 3. On everything that leaves.
            .wrap(from_fn(say_caching))
            .wrap(from_fn(secure))
            // 2. Around all that takes time.
            .wrap(from_fn(time_request))
            // 1. Around all that says anything, for every line and every answer has the name.
            .wrap(from_fn(name_request))
            // 0. Outermost, for it must see every request.
            .wrap(from_fn(follow))
            .configure(routes::configure)
    };
    let shutdown = settings.shutdown_timeout.as_millis().div_ceil(1_000);
    let mut builder = Server::build()
        .workers(settings.workers)
        .shutdown_timeout(shutdown.try_into().unwrap_or(u64::MAX))
        .disable_signals();
    let keep_alive = settings.keep_alive;
    let timeouts = Timeouts {
        read: settings.client_timeout,
        write: settings.write_timeout,
    };
    let ending = builder.graceful_shutdown_signal();
    let connection = move || {
        let app = app().into_factory().map_err(|error| error.error_response());
        let ending = ending.clone();
        let http = HttpService::build()
            // Connections that rest between two requests end with the server.
            .graceful_shutdown_signal(move || {
                let ending = ending.clone();
                async move { ending.notified().await }
            })
            .keep_alive(keep_alive)
            // `Wire` watches over that, for every request and not only the first.
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            // A client that has gone is not waited for: its request is dropped, and with that ends what the database does for it.
            .h1_allow_half_closed(false)
            .on_connect_ext(|wire: &Wire, extensions| {
                extensions.insert(wire.connection().clone());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(move |socket: TcpStream| async move {
            let peer = socket.peer_addr().ok();
            Ok((Wire::new(socket, timeouts), peer))
        })
        .and_then(http)
    };
    let mut addresses = Vec::new();
    for listener in bind(&settings.bind)? {
        addresses.push(listener.local_addr()?);
        builder = builder.listen("roster", listener, connection.clone())?;
    }
    Ok((builder.run(), addresses))
}

/// Listens on every address that a name has; one that can be taken is enough.
fn bind(address: &str) -> io::Result<Vec<TcpListener>> {
    let (listeners, errors): (Vec<_>, Vec<_>) = address
        .to_socket_addrs()?
        .map(listener)
        .partition(Result::is_ok);
    let error = errors.into_iter().find_map(Result::err);
    match error {
        Some(error) if listeners.is_empty() => Err(error),
        _ => listeners.into_iter().collect(),
    }
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that starts again need not wait for the connections of the last one.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The signals that a server knows, caught from the moment this is made.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether a server whose terminal is closed ends.
    ends_at_hangup: bool,
}

impl Signals {
    /// # Errors
    /// When the signals cannot be caught.
    pub fn catch(ends_at_hangup: bool) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            ends_at_hangup,
        })
    }

    /// Runs a server until SIGTERM or SIGINT, and then lets it end in order: no new connections, answers for the
    /// requests in flight. A second signal ends it at once.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn run(mut self, mut server: Server) -> io::Result<()> {
        let handle = server.handle();
        tokio::select! {
            ended = &mut server => return ended,
            () = self.next() => {}
        }
        // The server hears nothing else while it ends in order, so the second signal leaves it where it is.
        let _in_order = handle.stop(true);
        tokio::select! {
            ended = &mut server => ended,
            () = self.next() => Ok(()),
        }
    }

    async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => if self.ends_at_hangup {
                    return;
                },
            }
        }
    }
}
