use actix_web::{
    Error as ActixError, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use super::unless_refused;
use crate::{
    auth::{Guard, caller},
    error::Error,
    limits::{Limit, count_address, count_user},
};

/// Counts a request for its user, or for its address when it is anonymous. A request over the limit gets 429.
pub async fn throttle<G: Guard, B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let counted = count::<G>(request.request()).await;
    unless_refused(counted, request, next).await
}

async fn count<G: Guard>(request: &HttpRequest) -> Result<(), Error> {
    if !G::COUNTS {
        return Ok(());
    }
    match caller(request)? {
        Some(user) => count_user(request, user.id).await,
        None => count_address(request, Limit::Anon).await,
    }
}
