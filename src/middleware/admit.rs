use actix_web::{
    Error as ActixError, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use crate::{
    auth::{Guard, authenticate, leave_anonymous},
    error::Error,
};

/// Finds out who is calling and lets those through whom the guard admits, before anything of the request is read; the others get
/// 401 or 403.
///
/// # Errors
/// Those of the service inside.
pub async fn admit<G: Guard, B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    match judge::<G>(request.request()).await {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

async fn judge<G: Guard>(request: &HttpRequest) -> Result<(), Error> {
    if !G::ASKS {
        leave_anonymous(request);
        return Ok(());
    }
    let caller = authenticate(request).await?;
    G::admit(caller.as_ref())
}
