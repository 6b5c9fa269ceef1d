use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use super::unless_refused;
use crate::wire::{self, Connection};

/// Tells the connection which of its requests are answered.
///
/// # Errors
/// Those of the service inside.
pub async fn follow<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, ActixError> {
    let connection = request.conn_data::<Connection>().cloned();
    if let Some(connection) = &connection {
        connection.begin();
    }
    let response = next.call(request).await;
    if let Some(connection) = &connection {
        connection.answer();
    }
    response
}

/// Answers what is no request, of which only a stand-in has come so far.
///
/// # Errors
/// Those of the service inside.
pub async fn refuse_malformed<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let refusal = wire::refusal(request.request());
    let judged = refusal.map_or(Ok(()), |refusal| Err(refusal.into()));
    unless_refused(judged, request, next).await
}
