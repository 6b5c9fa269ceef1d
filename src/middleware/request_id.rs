use actix_web::{
    Error as ActixError, HttpMessage as _, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
};

use crate::{auth::random, error::fault};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LENGTH_MAX: usize = 64;

/// The id of a request in the log and in the audit trail.
#[derive(Clone)]
struct RequestId(String);

/// Gives the request its id, the client's own if it is sane, and sends it with the answer.
pub async fn name_request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, ActixError> {
    let given = request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|name| name.to_str().ok())
        .filter(|name| is_sane(name));
    let name = match given {
        Some(name) => name.to_owned(),
        None => random::<12>()?,
    };
    let value = HeaderValue::from_str(&name);
    request.extensions_mut().insert(RequestId(name));
    let mut response = next.call(request).await?;
    if let Ok(value) = value {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    Ok(response)
}

/// Adds the request's id to the body of a 500, so that the client can report it.
pub async fn name_fault<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let response = next.call(request).await?;
    let is_fault = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
    let (request, mut response) = response.into_parts();
    let Some(name) = request_id(&request).filter(|_| is_fault) else {
        let response = response.map_into_left_body();
        return Ok(ServiceResponse::new(request, response));
    };
    // The rest of the answer stays, with the error for the log.
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    let body = fault(&name).into_body();
    let response = response.set_body(body).map_into_right_body();
    Ok(ServiceResponse::new(request, response))
}

/// The id of this request.
pub fn request_id(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    extensions.get::<RequestId>().map(|name| name.0.clone())
}

/// Letters, digits and the separators of identifiers: nothing that could look like another part of a log line.
fn is_sane(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&byte);
    (1..=LENGTH_MAX).contains(&name.len()) && name.bytes().all(fits)
}
