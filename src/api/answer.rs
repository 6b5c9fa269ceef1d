use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::Serialize;

use super::etag;
use crate::{error::Error, models::KeptAnswer, urls};

/// The answer to a request that writes.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    /// The new object, for its URL.
    id: Option<i64>,
    /// What is new has the request's own URL.
    is_here: bool,
    /// JSON; empty when there is nothing to show.
    body: String,
    /// It was given before, to the same request.
    replayed: bool,
}

impl Answer {
    /// 200: the object as it is now.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub fn changed(body: &impl Serialize) -> Result<Self, Error> {
        Self::new(StatusCode::OK, None, body)
    }

    /// 201: a new object, and where it is.
    ///
    /// # Errors
    /// As [`changed`](Self::changed).
    pub fn created(id: Option<i64>, body: &impl Serialize) -> Result<Self, Error> {
        Self::new(StatusCode::CREATED, id, body)
    }

    /// The same with 201: what the request's URL names was not there before.
    pub fn as_created(self) -> Self {
        Self {
            status: StatusCode::CREATED,
            is_here: true,
            ..self
        }
    }

    /// 204: it is done, and there is nothing to show.
    pub fn done() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            id: None,
            is_here: false,
            body: String::new(),
            replayed: false,
        }
    }

    fn new(status: StatusCode, id: Option<i64>, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_string(body)
            .map_err(|error| Error::Internal(format!("an answer could not be written: {error}")))?;
        Ok(Self {
            status,
            id,
            is_here: false,
            body,
            replayed: false,
        })
    }

    /// What is kept of it: status, id and body.
    pub fn to_keep(&self) -> (i32, Option<i64>, &str) {
        (self.status.as_u16().into(), self.id, &self.body)
    }
}

impl From<KeptAnswer> for Answer {
    fn from(kept: KeptAnswer) -> Self {
        let status = u16::try_from(kept.status).ok();
        Self {
            status: status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .unwrap_or(StatusCode::OK),
            id: kept.object_id,
            is_here: false,
            body: kept.body,
            replayed: true,
        }
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.replayed {
            response.insert_header(("Idempotency-Replayed", "true"));
        }
        let below = self.id.map(|id| format!("{id}/"));
        if let Some(below) = below.or(self.is_here.then(String::new)) {
            let location = urls::canonical(request) + &below;
            response.insert_header((header::LOCATION, location));
        }
        if self.status == StatusCode::NO_CONTENT {
            return response.finish();
        }
        if self.status == StatusCode::OK {
            response.insert_header((header::ETAG, etag::of(self.body.as_bytes())));
        }
        response.content_type("application/json").body(self.body)
    }
}
