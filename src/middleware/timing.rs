use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    Error as ActixError, HttpMessage as _, HttpRequest,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};

use super::request_id;
use crate::{auth, db::Tally, error::Error, limits, metrics::Metrics, urls};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// The most bytes of a path that are logged.
const PATH_MAX: usize = 1_000;

/// How requests are measured and reported.
pub struct Watch {
    /// A request that takes longer is logged as a warning.
    pub slow: Duration,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
    pub metrics: Metrics,
}

/// The route of a request: its path with the names of the parameters.
#[derive(Clone)]
pub struct Route(pub Arc<str>);

/// Measures a request from the first middleware until the answer is made, with a monotonic clock. The log, the metrics and, if
/// configured, the client get the result.
pub async fn time_request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, ActixError> {
    let begun = Instant::now();
    let watch = request.app_data::<Data<Watch>>().cloned();
    let watch = watch.ok_or_else(|| Error::Internal("nobody watches".to_owned()))?;
    let _in_flight = watch.metrics.in_flight();
    let tally = Arc::new(Tally::default());
    let mut response = tally.clone().during(next.call(request)).await?;
    let duration = begun.elapsed();
    if watch.server_timing
        && let Ok(value) = HeaderValue::from_str(&server_timing(duration, &tally))
    {
        response.headers_mut().insert(SERVER_TIMING, value);
    }
    let route = route(response.request());
    let route = route.as_deref();
    watch.metrics.observe(
        response.request().method(),
        route.unwrap_or("none"),
        response.status(),
        duration,
    );
    if let Some(limit) = limits::nearest(response.request()).and_then(|nearest| nearest.hit()) {
        watch.metrics.hit(limit);
    }
    log(&response, route, duration, &tally, watch.slow);
    Ok(response)
}

fn route(request: &HttpRequest) -> Option<Arc<str>> {
    let extensions = request.extensions();
    extensions.get::<Route>().map(|route| route.0.clone())
}

/// The header's value; see <https://www.w3.org/TR/server-timing/>.
fn server_timing(duration: Duration, tally: &Tally) -> String {
    let queries = match tally.statements() {
        1 => "1 query".to_owned(),
        count => format!("{count} queries"),
    };
    format!(
        "db;dur={:.2};desc=\"{queries}\", total;dur={:.2}",
        millis(tally.time()),
        millis(duration)
    )
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Milliseconds to two decimals.
fn hundredths(time: Duration) -> f64 {
    (millis(time) * 100.0).round() / 100.0
}

/// Writes the log line of a request.
fn log<B: MessageBody>(
    response: &ServiceResponse<B>,
    route: Option<&str>,
    duration: Duration,
    tally: &Tally,
    slow: Duration,
) {
    macro_rules! line {
        ($level:expr) => {{
            let (request, status) = (response.request(), response.status());
            let path = request.uri().path();
            let error = response.response().error();
            let reason = error.and_then(|error| error.as_error::<Error>()?.reason());
            tracing::event!(
                target: "roster::request",
                $level,
                method = %method(request.method()),
                path = %&path[..path.floor_char_boundary(PATH_MAX)],
                status = status.as_u16(),
                duration_ms = hundredths(duration),
                request_id = request_id(request).map(tracing::field::display),
                client = %urls::client_address(request),
                user_id = auth::caller(request).ok().flatten().map(|user| user.id),
                route = route.map(tracing::field::display),
                bytes = bytes(response.response().body().size()),
                statements = tally.statements(),
                sql_ms = hundredths(tally.time()),
                query = query(response).map(tracing::field::display),
                reason,
            );
        }};
    }
    if response.status() == actix_web::http::StatusCode::INTERNAL_SERVER_ERROR {
        line!(tracing::Level::ERROR);
    } else if response.status().is_server_error() || duration >= slow {
        line!(tracing::Level::WARN);
    } else {
        line!(tracing::Level::INFO);
    }
}

/// The method's name if it is a standard one, so that clients cannot invent values for a metric.
pub fn method(method: &Method) -> &str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::TRACE,
        Method::CONNECT,
    ];
    if KNOWN.contains(method) {
        method.as_str()
    } else {
        "OTHER"
    }
}

fn bytes(size: BodySize) -> u64 {
    match size {
        BodySize::Sized(bytes) => bytes,
        BodySize::None | BodySize::Stream => 0,
    }
}

/// The query string, for requests that succeeded only: their parameters are known and hold no secret. A refused query string may
/// hold one in the wrong place.
fn query<B>(response: &ServiceResponse<B>) -> Option<&str> {
    let status = response.status();
    let taken = status.is_success() || status.is_redirection();
    response.request().uri().query().filter(|_| taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_counts_queries_and_milliseconds() {
        let tally = Tally::default();
        assert_eq!(
            server_timing(Duration::from_micros(612), &tally),
            "db;dur=0.00;desc=\"0 queries\", total;dur=0.61"
        );
    }
}
