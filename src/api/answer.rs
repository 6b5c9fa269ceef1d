use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header};
use serde::Serialize;

use crate::urls;

/// 201: a new object as its body, and where it is.
pub struct Created<T> {
    pub id: i64,
    pub body: T,
}

/// 204: what was asked for is done, and there is nothing to show.
pub struct NoContent;

impl Responder for NoContent {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::NoContent().finish()
    }
}

impl<T: Serialize> Responder for Created<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        HttpResponse::Created()
            .insert_header((
                header::LOCATION,
                format!("{}{}/", urls::canonical(request), self.id),
            ))
            .json(self.body)
    }
}
