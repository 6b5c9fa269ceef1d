use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

use super::unless_refused;
use crate::{
    limits::{self, Limit},
    routes::UNLIMITED,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Turns away whose address asks too often, before anything else is looked at; and tells the others how far they
/// are from any limit that they meet on their way.
///
/// # Errors
/// Those of the service inside.
pub async fn rate_limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let counted = if UNLIMITED.contains(&request.path()) {
        Ok(())
    } else {
        limits::count_address(request.request(), Limit::Address).await
    };
    let mut response = unless_refused(counted, request, next).await?;
    if let Some(nearest) = limits::nearest(response.request()) {
        let policy = HeaderValue::from_str(&nearest.policy());
        let limit = HeaderValue::from_str(&nearest.to_string());
        if let (Ok(policy), Ok(limit)) = (policy, limit) {
            response.headers_mut().insert(RATE_LIMIT_POLICY, policy);
            response.headers_mut().insert(RATE_LIMIT, limit);
        }
    }
    Ok(response)
}
