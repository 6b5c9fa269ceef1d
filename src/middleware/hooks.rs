use std::{fmt, sync::Arc};

use actix_web::{
    Error as ActixError, HttpRequest, HttpResponse, ResponseError as _,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::Next,
    web::Data,
};
use serde_json::{Map, Value};

use super::request_id;
use crate::error::Error;

/// A look into every request between routing and its handler: what Django calls `process_view`, `process_exception` and
/// `process_template_response`. Hooks are nested, the first of a [list](Hooks) outermost: going in they are called from the
/// first to the last, coming out from the last to the first.
///
/// The caller is known by then and may do what the request asks, so that no hook lets anybody in.
pub trait Hook: Send + Sync {
    /// The handler of that name is about to be called. A response ends the request: neither the hooks further in nor
    /// the handler run.
    fn before_handler(&self, _: &HttpRequest, _handler: &str) -> Option<HttpResponse> {
        None
    }

    /// The handler failed, or refused. A response takes the place of the error's, and the hooks further out are not asked.
    fn on_error(&self, _: &HttpRequest, _handler: &str, _: &Error) -> Option<HttpResponse> {
        None
    }

    /// A page of a list is about to be written. What is inserted here stands behind its `results`.
    fn on_page(&self, _: &HttpRequest, _data: &mut Map<String, Value>) {}
}

/// The hooks of a server, the outermost first.
#[derive(Clone)]
pub struct Hooks(pub Vec<Arc<dyn Hook>>);

impl Default for Hooks {
    fn default() -> Self {
        Self(vec![Arc::new(Log)])
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} hooks", self.0.len())
    }
}

/// Logs which handler a request goes to, and how it fails.
struct Log;

impl Hook for Log {
    fn before_handler(&self, request: &HttpRequest, handler: &str) -> Option<HttpResponse> {
        let request_id = request_id(request);
        tracing::debug!(handler, request_id, "a request goes to its handler");
        None
    }

    fn on_error(
        &self,
        request: &HttpRequest,
        handler: &str,
        error: &Error,
    ) -> Option<HttpResponse> {
        let request_id = request_id(request);
        // A client's mistake is no fault of the handler's, nor is a database that refuses: the line of the request warns of that.
        if error.status_code() == StatusCode::INTERNAL_SERVER_ERROR {
            let reason = error.reason();
            tracing::error!(handler, request_id, reason, "a handler failed");
        } else {
            let status = error.status_code().as_u16();
            tracing::debug!(handler, request_id, status, "a handler refused");
        }
        None
    }
}

/// Calls the hooks around the handler of that name.
///
/// # Errors
/// Those of the service inside.
pub async fn hooked<B: MessageBody>(
    handler: Arc<str>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let hooks = request.app_data::<Data<Hooks>>().cloned();
    let hooks = hooks.as_ref().map_or(&[][..], |hooks| &hooks.0);
    let ended = hooks
        .iter()
        .find_map(|hook| hook.before_handler(request.request(), &handler));
    if let Some(response) = ended {
        return Ok(request.into_response(response).map_into_right_body());
    }
    let response = next.call(request).await?;
    Ok(match instead(hooks, &handler, &response) {
        Some(other) => response.into_response(other).map_into_right_body(),
        None => response.map_into_left_body(),
    })
}

/// What a hook has to say to the error of a response, when it is one.
fn instead<B>(
    hooks: &[Arc<dyn Hook>],
    handler: &str,
    response: &ServiceResponse<B>,
) -> Option<HttpResponse<BoxBody>> {
    let error = response.response().error()?.as_error::<Error>()?;
    hooks
        .iter()
        .rev()
        .find_map(|hook| hook.on_error(response.request(), handler, error))
}

/// What the hooks have to add to a page.
pub fn page_data(request: &HttpRequest) -> Map<String, Value> {
    let mut data = Map::new();
    if let Some(hooks) = request.app_data::<Data<Hooks>>() {
        for hook in hooks.0.iter().rev() {
            hook.on_page(request, &mut data);
        }
    }
    data
}
