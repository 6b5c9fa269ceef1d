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

/// Counts the request of a user for the user, and any other for the address; one too many gets 429.
///
/// # Errors
/// Those of the service inside.
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
