//! The server: listener, workers, the application, and an orderly end.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Condition, from_fn},
    web::Data,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    auth::Auth,
    db::{Db, Reader},
    limits::{Limits, Memory, Rates},
    metrics::Metrics,
    middleware::{
        Hooks, Origin, Watch, compress, cors, cors_errors, name_fault, name_request, rate_limit,
        secure, time_request,
    },
    routes,
    urls::Proxies,
};

/// How a server is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Threads that serve; each handles many connections.
    pub workers: usize,
    pub rates: Rates,
    pub proxies: Proxies,
    /// Whose pages may call; with none there is no CORS.
    pub cors_origins: Vec<Origin>,
    pub hooks: Hooks,
    /// A request that takes longer is logged as a warning.
    pub slow_request: Duration,
    pub server_timing: bool,
    /// How long a client may take for the head of a request, or for the start of its body.
    pub client_timeout: Duration,
    /// Bytes of a request's body at most.
    pub body_limit: usize,
    /// How long requests in flight may take when the server is told to end.
    pub shutdown_timeout: Duration,
}

/// A server for whoever finds it: at a free port of this machine, with nothing that can be switched off.
impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:0".to_owned(),
            workers: 1,
            rates: Rates::OFF,
            proxies: Proxies::default(),
            cors_origins: Vec::new(),
            hooks: Hooks::default(),
            slow_request: Duration::from_secs(1),
            server_timing: false,
            client_timeout: Duration::from_secs(10),
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
            // 4. Around what the one before refuses, for it refuses in plain text.
            .wrap(from_fn(cors_errors))
            // 3. On everything that leaves.
            .wrap(from_fn(secure))
            // 2. Around all that takes time.
            .wrap(from_fn(time_request))
            // 1. Outermost, for every line and every answer has the name.
            .wrap(from_fn(name_request))
            .configure(routes::configure)
    };
    let server = HttpServer::new(app)
        .workers(settings.workers)
        .client_request_timeout(settings.client_timeout)
        // A client that has gone is not waited for: its request is dropped, and with that ends what the database does for it.
        .h1_allow_half_closed(false)
        .shutdown_timeout(
            settings
                .shutdown_timeout
                .as_millis()
                .div_ceil(1_000)
                .try_into()
                .unwrap_or(u64::MAX),
        )
        .disable_signals()
        .bind(&settings.bind)?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
}
/// The signals that end a server, caught from the moment this is made.
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

    /// Waits for SIGTERM or SIGINT and then lets the server end in order: no new connections, answers for the
    /// requests in flight. A second signal ends it at once.
    pub async fn end(mut self, server: ServerHandle) {
        self.next().await;
        let in_order = server.stop(true);
        tokio::select! {
            () = in_order => {}
            () = self.next() => server.stop(false).await,
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
