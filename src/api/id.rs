use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde_json::json;

use super::Resource;
use crate::{
    db::DbConnection,
    error::Error,
    openapi::{Describe, Operation, Place},
    query::Listed,
    text::phrase,
};

/// Extractor for the `{id}` of a path that names an `M`. Text that is not an id gets 404, as for an object that does not exist.
pub struct Id<M> {
    value: i64,
    model: PhantomData<fn(M)>,
}

impl<M: Listed> Id<M> {
    pub fn get(&self) -> i64 {
        self.value
    }

    /// # Errors
    /// 404 when the path has no id.
    pub fn of(request: &HttpRequest) -> Result<Self, Error> {
        Self::named(request, "id")
    }

    /// As [`of`](Self::of), from another part of the path.
    ///
    /// # Errors
    /// 404 when it is not an id.
    pub fn named(request: &HttpRequest, part: &str) -> Result<Self, Error> {
        let value = request.match_info().get(part).and_then(parse);
        value
            .map(|value| Self {
                value,
                model: PhantomData,
            })
            .ok_or(Error::NoSuchObject(M::NAME))
    }

    /// # Errors
    /// 404 when nothing was found under this id.
    pub fn found<T>(&self, object: Option<T>) -> Result<T, Error> {
        object.ok_or(Error::NoSuchObject(M::NAME))
    }
}

impl<R: Resource> Id<R> {
    /// Loads the object and locks it until the end of the transaction.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn held(&self, conn: &mut DbConnection) -> Result<R, Error> {
        self.found(R::held(conn, self.get())?)
    }
}

impl<M: Listed> FromRequest for Id<M> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<M: Listed> Describe for Id<M> {
    fn describe(operation: &mut Operation) {
        describe::<M>(operation, "id");
    }
}

/// Describes the part of a path that names an `M`.
pub fn describe<M: Listed>(operation: &mut Operation, part: &str) {
    let schema = json!({"type": "integer", "format": "int64", "minimum": 1});
    let about = format!("The id of the {}.", phrase(M::NAME));
    operation.parameter(Place::Path, part, &about, schema);
    operation.refuses(&[404]);
}

/// Reads a positive 64-bit number in plain digits.
fn parse(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|id| plain && *id > 0 && !text.starts_with('0'))
}
