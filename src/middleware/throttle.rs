use actix_web::{
    Error as ActixError, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

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
    match count::<G>(request.request()).await {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
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
