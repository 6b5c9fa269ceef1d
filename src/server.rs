//! The server: listener, workers, the application, and an orderly end.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::Data,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{auth::Auth, db::Db, middleware::name_request, routes};

/// How a server is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `host:port`; port 0 takes a free one.
    pub bind: String,
    /// Threads that serve; each handles many connections.
    pub workers: usize,
    /// Bytes of a request's body at most.
    pub body_limit: usize,
    /// How long requests in flight may take when the server is told to end.
    pub shutdown_timeout: Duration,
}

/// Begins to listen. The server runs when the returned future is polled.
///
/// # Errors
/// When the address cannot be resolved or taken.
pub fn listen(db: &Db, auth: Auth, settings: &Settings) -> io::Result<(Server, Vec<SocketAddr>)> {
    let (db, auth) = (Data::new(db.clone()), Data::new(auth));
    let limits = Data::new(settings.clone());
    let app = move || {
        App::new()
            .app_data(db.clone())
            .app_data(auth.clone())
            .app_data(limits.clone())
            .wrap(from_fn(name_request))
            .configure(routes::configure)
    };
    let server = HttpServer::new(app)
        .workers(settings.workers)
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
}

impl Signals {
    /// # Errors
    /// When the signals cannot be caught.
    pub fn catch() -> io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self {
            terminate: signal(terminate)?,
            interrupt: signal(interrupt)?,
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
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
