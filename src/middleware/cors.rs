use actix_cors::{Cors, CorsError};
use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName},
    middleware::Next,
};

use crate::error::Error;

/// An origin whose pages may call the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// All origins.
    Any,
    /// One origin, as `scheme://host[:port]`.
    This(String),
}

/// Headers of answers that a page may read, beside those that every page may.
const EXPOSED: [&str; 7] = [
    "etag",
    "idempotency-replayed",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
];
/// Headers of requests that a page may send, beside those that every page may.
const ALLOWED: [HeaderName; 8] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-requested-with"),
];
/// Seconds for which a browser may keep the answer to a preflight.
const MAX_AGE: usize = 3_600;

/// The CORS middleware for these origins. The API has no cookies, so credentials are not allowed.
pub fn cors(origins: &[Origin]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(ALLOWED)
        .expose_headers(EXPOSED)
        .max_age(MAX_AGE);
    if origins.contains(&Origin::Any) {
        return cors.allow_any_origin().send_wildcard();
    }
    origins.iter().fold(cors, |cors, origin| match origin {
        Origin::Any => cors,
        Origin::This(origin) => cors.allowed_origin(origin),
    })
}

/// Writes the refusal of a preflight as JSON, like every other error.
pub async fn cors_errors<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let response = next.call(request).await?;
    let refused = response.response().error();
    let refused = refused.and_then(|error| error.as_error::<CorsError>());
    Ok(match refused.map(ToString::to_string) {
        Some(reason) => response
            .error_response(Error::OriginRefused(reason))
            .map_into_right_body(),
        None => response.map_into_left_body(),
    })
}
