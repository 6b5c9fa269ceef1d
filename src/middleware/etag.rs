use actix_web::{
    Error as ActixError, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    middleware::Next,
};

use super::compress::{self, Encoding};
use crate::api::etag::{self, Conditions};

/// Adds the entity tag to the answer of a GET, or answers 304 when the client has that version.
pub async fn tagged<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let conditions = Conditions::of(request.headers());
    let response = next.call(request).await?.map_into_boxed_body();
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        // A stream has no tag.
        Err(body) => return Ok(ServiceResponse::new(request, response.set_body(body))),
    };
    let tag = etag::of(&bytes);
    if conditions.is_known(&tag) {
        // The tag that a 200 would have had, with its encoding.
        let tag = match Encoding::of(request.headers(), bytes.len()) {
            Some(encoding) => compress::tagged(&tag, encoding),
            None => tag,
        };
        let mut not_modified = HttpResponse::NotModified();
        for vary in response.headers().get_all(header::VARY) {
            not_modified.append_header((header::VARY, vary));
        }
        let not_modified = not_modified
            .append_header((header::VARY, "Accept-Encoding"))
            .insert_header((header::ETAG, tag))
            .finish();
        return Ok(ServiceResponse::new(request, not_modified));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(ServiceResponse::new(
        request,
        response.set_body(BoxBody::new(bytes)),
    ))
}
