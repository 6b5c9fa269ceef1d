use actix_web::{
    Error as ActixError, HttpMessage as _, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

use crate::auth::random;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LENGTH_MAX: usize = 64;

/// What a request is called in logs and in the audit trail.
#[derive(Clone)]
struct RequestId(String);

/// Names the request, by the client's name for it if that is a sane one, and tells the name with the answer.
///
/// # Errors
/// Those of the service inside.
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

/// The name of this request.
pub fn request_id(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    extensions.get::<RequestId>().map(|name| name.0.clone())
}

/// Letters, digits and what identifiers have between them: nothing that could pass for another part of a log line.
fn is_sane(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&byte);
    (1..=LENGTH_MAX).contains(&name.len()) && name.bytes().all(fits)
}
