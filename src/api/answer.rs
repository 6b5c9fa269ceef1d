use std::marker::PhantomData;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::{StatusCode, header},
};
use serde::Serialize;
use serde_json::json;

use super::{Resource, etag};
use crate::{
    error::Error,
    models::KeptAnswer,
    openapi::{Describe, Operation},
    render,
    text::phrase,
    urls,
};

/// The answer to a request that writes. `A` is the kind of answer.
#[derive(Debug)]
pub struct Answer<A> {
    status: StatusCode,
    /// The id of the new object, for `Location`.
    id: Option<i64>,
    /// Whether the new object has the request's own URL.
    is_here: bool,
    /// JSON; empty when there is nothing to show.
    body: String,
    /// Whether it is the kept answer of an earlier request.
    replayed: bool,
    what: PhantomData<fn() -> A>,
}

/// 201: a new object.
#[derive(Debug)]
pub struct Created<R>(PhantomData<R>);

/// 201: a new object, or one for each in the array.
#[derive(Debug)]
pub struct CreatedSome<R>(PhantomData<R>);

/// 200: the object as it is now.
#[derive(Debug)]
pub struct Changed<R>(PhantomData<R>);

/// 201 for a new link, 200 for one that was there already: the object.
#[derive(Debug)]
pub struct Linked<R>(PhantomData<R>);

/// 204: no body.
#[derive(Debug)]
pub struct Done;

impl<R> Answer<Changed<R>> {
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub fn changed(body: &impl Serialize) -> Result<Self, Error> {
        Self::new(StatusCode::OK, None, body)
    }

    /// The answer for a link: 201 when it is new, else 200.
    pub fn linked(self, is_new: bool) -> Answer<Linked<R>> {
        Answer {
            status: if is_new {
                StatusCode::CREATED
            } else {
                self.status
            },
            id: self.id,
            is_here: is_new,
            body: self.body,
            replayed: self.replayed,
            what: PhantomData,
        }
    }
}

impl Answer<Done> {
    pub fn done() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            id: None,
            is_here: false,
            body: String::new(),
            replayed: false,
            what: PhantomData,
        }
    }
}

impl<A> Answer<A> {
    /// 201: a new object, and where it is.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be written as JSON.
    pub fn created(id: Option<i64>, body: &impl Serialize) -> Result<Self, Error> {
        Self::new(StatusCode::CREATED, id, body)
    }

    fn new(status: StatusCode, id: Option<i64>, body: &impl Serialize) -> Result<Self, Error> {
        let body = render::json(body)?;
        Ok(Self {
            status,
            id,
            is_here: false,
            body,
            replayed: false,
            what: PhantomData,
        })
    }

    /// What is kept under an `Idempotency-Key`: status, id and body.
    pub fn to_keep(&self) -> (i32, Option<i64>, &str) {
        (self.status.as_u16().into(), self.id, &self.body)
    }
}

impl<A> From<KeptAnswer> for Answer<A> {
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
            what: PhantomData,
        }
    }
}

impl<A> Responder for Answer<A> {
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

/// What the objects of a resource are called.
fn noun<R: Resource>() -> String {
    phrase(R::NAME)
}

/// The header of an answer that was kept under an `Idempotency-Key`.
const REPLAYED: &str = "Idempotency-Replayed";

impl<R: Resource> Describe for Answer<Created<R>> {
    fn describe(operation: &mut Operation) {
        let schema = operation.components.schema::<R::Body>();
        let about = format!("The new {}.", noun::<R>());
        operation.answer(201, &about, Some(&schema), &["Location", REPLAYED]);
    }
}

impl<R: Resource> Describe for Answer<CreatedSome<R>> {
    fn describe(operation: &mut Operation) {
        let one = operation.components.schema::<R::Body>();
        let schema = json!({"anyOf": [one, {"type": "array", "items": one}]});
        let about = format!(
            "The new {}, with `Location`; of an array all of them, in the order of the request.",
            noun::<R>()
        );
        operation.answer(201, &about, Some(&schema), &["Location", REPLAYED]);
    }
}

impl<R: Resource> Describe for Answer<Changed<R>> {
    fn describe(operation: &mut Operation) {
        let schema = operation.components.schema::<R::Body>();
        let about = format!("The {} as it is now.", noun::<R>());
        operation.answer(200, &about, Some(&schema), &["ETag"]);
    }
}

impl<R: Resource> Describe for Answer<Linked<R>> {
    fn describe(operation: &mut Operation) {
        let schema = operation.components.schema::<R::Body>();
        let there = format!("The {}; the link was there already.", noun::<R>());
        operation.answer(200, &there, Some(&schema), &["ETag"]);
        let added = format!("The {} with the new link.", noun::<R>());
        operation.answer(201, &added, Some(&schema), &["Location"]);
    }
}

impl Describe for Answer<Done> {
    fn describe(operation: &mut Operation) {
        operation.answer(204, "Done. There is no body.", None, &[]);
    }
}
