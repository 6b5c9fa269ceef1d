use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};

use super::unless_refused;
use crate::{routes, server::Settings, urls};

/// Lets requests in that are for this server: the host gets into the URLs of the answer.
///
/// # Errors
/// Those of the service inside.
pub async fn check_host<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    // Monitoring asks the server by its address, and no URL is made for it.
    let judged = match request.app_data::<Data<Settings>>() {
        Some(settings) if !routes::is_probe(request.request()) => {
            urls::check_host(request.request(), &settings.allowed_hosts)
        }
        _ => Ok(()),
    };
    unless_refused(judged, request, next).await
}
