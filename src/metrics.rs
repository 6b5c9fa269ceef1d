//! Metrics for Prometheus, served by a listener of their own.

use std::{io, net::SocketAddr, time::Duration};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    http::{Method, StatusCode, header},
    web::{self, Data},
};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
    exponential_buckets, process_collector::ProcessCollector,
};

use crate::{db::Db, error::Error, limits::Limit, middleware::method};

/// The metrics of a server. Clones share their counters.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    hits: IntCounterVec,
    bytes: IntGaugeVec,
}

/// Counts a request as in flight until dropped.
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// # Errors
    /// When a metric's name or labels are no good.
    pub fn new(db: &Db) -> prometheus::Result<Self> {
        let durations = HistogramOpts::new(
            "roster_http_request_duration_seconds",
            "Time from the first of the middleware to the answer, by route.",
        );
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new("roster_http_requests_total", "Requests that were answered."),
                &["method", "route", "status"],
            )?,
            durations: HistogramVec::new(
                durations.buckets(exponential_buckets(0.000_25, 2.0, 16)?),
                &["method", "route"],
            )?,
            in_flight: IntGauge::new(
                "roster_http_requests_in_flight",
                "Requests that are being served.",
            )?,
            hits: IntCounterVec::new(
                Opts::new("roster_limit_hits_total", "Requests that a limit refused."),
                &["limit"],
            )?,
            bytes: IntGaugeVec::new(
                Opts::new("roster_database_bytes", "Room that the database takes."),
                &["file"],
            )?,
        };
        // A series must exist before its first hit, or `rate()` misses that hit.
        for limit in Limit::ALL {
            metrics.hits.with_label_values(&[limit.name()]);
        }
        metrics.register(db)?;
        Ok(metrics)
    }

    fn register(&self, db: &Db) -> prometheus::Result<()> {
        let registry = &self.registry;
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.durations.clone()))?;
        registry.register(Box::new(self.in_flight.clone()))?;
        registry.register(Box::new(self.hits.clone()))?;
        registry.register(Box::new(self.bytes.clone()))?;
        registry.register(Box::new(build_info(db)?))?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        db.measures().register(registry)
    }

    /// Counts a request as in flight until the guard is dropped, even if it is never answered.
    pub fn in_flight(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answered request. `route` is the pattern and not the path: paths are without number.
    pub fn observe(&self, by: &Method, route: &str, status: StatusCode, duration: Duration) {
        let by = method(by);
        self.requests
            .with_label_values(&[by, route, status.as_str()])
            .inc();
        self.durations
            .with_label_values(&[by, route])
            .observe(duration.as_secs_f64());
    }

    /// Counts a request that a limit refused.
    pub fn hit(&self, limit: Limit) {
        self.hits.with_label_values(&[limit.name()]).inc();
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When the database cannot tell its size, or a metric cannot be written.
    fn text(&self, db: &Db) -> Result<String, Error> {
        let size = db.size()?;
        let set = |file: &str, bytes: u64| {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            self.bytes.with_label_values(&[file]).set(bytes);
        };
        set("database", size.database);
        if let Some(wal) = size.wal {
            set("wal", wal);
        }
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .map_err(|error| Error::Internal(format!("the metrics cannot be written: {error}")))
    }
}

/// A gauge that is always 1 and has the version and the engine as labels.
fn build_info(db: &Db) -> prometheus::Result<IntGauge> {
    let info = Opts::new("roster_build_info", "What is running.")
        .const_label("version", env!("CARGO_PKG_VERSION"))
        .const_label("engine", db.target().engine());
    let gauge = IntGauge::with_opts(info)?;
    gauge.set(1);
    Ok(gauge)
}

/// Serves the metrics at `/metrics` of `bind`.
///
/// # Errors
/// When the address cannot be resolved or taken.
pub fn listen(db: &Db, metrics: &Metrics, bind: &str) -> io::Result<(Server, Vec<SocketAddr>)> {
    let shared = (Data::new(db.clone()), Data::new(metrics.clone()));
    let app = move || {
        App::new()
            .app_data(shared.0.clone())
            .app_data(shared.1.clone())
            .route("/metrics", web::get().to(show))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .bind(bind)?;
    let addresses = server.addrs();
    Ok((server.run(), addresses))
}

async fn show(db: Data<Db>, metrics: Data<Metrics>) -> Result<HttpResponse, Error> {
    let text = web::block(move || metrics.text(&db)).await;
    let text = text.map_err(|_| Error::Internal("the metrics panicked".to_owned()))??;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, prometheus::TEXT_FORMAT))
        .body(text))
}
