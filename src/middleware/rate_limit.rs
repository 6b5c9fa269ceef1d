use actix_web::{
    Error as ActixError, HttpMessage as _, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

use super::unless_refused;
use crate::{
    error::Error,
    limits::{self, Limit},
    routes, wire,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The request has been counted for its address.
#[derive(Clone, Copy)]
struct Counted;

/// Turns away whose address asks too often, before anything else is looked at; and tells the others how far they
/// are from any limit that they meet on their way.
///
/// # Errors
/// Those of the service inside.
pub async fn rate_limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let counted = count(request.request()).await;
    let mut response = unless_refused(counted, request, next).await?;
    tell_nearest(&mut response);
    Ok(response)
}

/// Counts what the middleware in between answers by itself, such as a preflight of CORS.
///
/// # Errors
/// Those of the service inside.
pub async fn limit_the_rest<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let response = next.call(request).await?;
    if response.request().extensions().contains::<Counted>() {
        return Ok(response.map_into_left_body());
    }
    let mut response = match count(response.request()).await {
        Ok(()) => response.map_into_left_body(),
        Err(error) => response.error_response(error).map_into_right_body(),
    };
    tell_nearest(&mut response);
    Ok(response)
}

async fn count(request: &HttpRequest) -> Result<(), Error> {
    request.extensions_mut().insert(Counted);
    if routes::is_unlimited(request) && wire::refusal(request).is_none() {
        return Ok(());
    }
    limits::count_address(request, Limit::Address).await
}

fn tell_nearest<B>(response: &mut ServiceResponse<B>) {
    if let Some(nearest) = limits::nearest(response.request()) {
        let policy = HeaderValue::from_str(&nearest.policy());
        let limit = HeaderValue::from_str(&nearest.to_string());
        if let (Ok(policy), Ok(limit)) = (policy, limit) {
            let headers = response.headers_mut();
            headers.insert(RATE_LIMIT_POLICY, policy);
            headers.insert(RATE_LIMIT, limit);
        }
    }
}
