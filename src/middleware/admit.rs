use actix_web::{
    Error as ActixError, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use super::unless_refused;
use crate::{
    auth::{Guard, authenticate, leave_anonymous},
    error::Error,
};

/// Authenticates the caller and asks the guard, before the request's body is read. A caller who is not admitted gets 401 or 403.
pub async fn admit<G: Guard, B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let judged = judge::<G>(request.request()).await;
    unless_refused(judged, request, next).await
}

async fn judge<G: Guard>(request: &HttpRequest) -> Result<(), Error> {
    if !G::ASKS {
        leave_anonymous(request);
        return Ok(());
    }
    let caller = authenticate(request).await?;
    G::admit(caller.as_ref())
}
