use actix_web::{
    Error as ActixError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use crate::auth::{Guard, authenticate, leave_anonymous};

/// Finds out who is calling and lets those through whom the guard admits, before anything of the request is read.
///
/// # Errors
/// 401 and 403, and those of the service inside.
pub async fn admit<G: Guard, B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, ActixError> {
    if G::ASKS {
        G::admit(authenticate(request.request()).await?.as_ref())?;
    } else {
        leave_anonymous(request.request());
    }
    next.call(request).await
}
