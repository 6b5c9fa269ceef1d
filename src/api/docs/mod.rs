//! The documentation page: Swagger UI, compiled into the binary.

mod bundle;

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    dev::Payload,
    http::header,
    web::{self, Bytes},
};
use serde_json::json;

pub use self::bundle::is_file;
use crate::{
    auth::{Anyone, Part},
    error::Error,
    middleware::Encoding,
    openapi::{Describe, Operation, Place},
    query::NoParams,
};

pub const PAGE_TYPES: [&str; 1] = ["text/html"];
pub const FILE_TYPES: [&str; 3] = ["text/javascript", "text/css", "image/png"];

pub async fn get_docs(_: Anyone, _: NoParams) -> File {
    File {
        content_type: "text/html; charset=utf-8",
        bytes: bundle::page(),
        is_gzipped: false,
    }
}

pub async fn get_docs_file(
    _: Part,
    _: NoParams,
    request: HttpRequest,
    name: FileName,
) -> Result<File, Error> {
    let file = bundle::file(&name.0).ok_or(Error::NoSuchPath)?;
    let gzipped = file.gzipped();
    let gzipped = gzipped.filter(|_| Encoding::Gzip.is_taken(request.headers()));
    let is_gzipped = gzipped.is_some();
    let bytes = match gzipped {
        Some(bytes) => bytes,
        // A thread that serves has no time to unpack it.
        None => web::block(|| file.plain())
            .await
            .map_err(|error| Error::Internal(error.to_string()))?
            .map_err(|error| Error::Internal(error.to_string()))?,
    };
    Ok(File {
        content_type: &file.content_type,
        bytes,
        is_gzipped,
    })
}

/// Extractor for the `{file}` of the path.
pub struct FileName(String);

impl FromRequest for FileName {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = request.match_info().get("file").unwrap_or_default();
        ready(Ok(Self(name.to_owned())))
    }
}

impl Describe for FileName {
    fn describe(operation: &mut Operation) {
        let schema = json!({"type": "string", "examples": [bundle::a_name()]});
        operation.parameter(Place::Path, "file", "The name of the file.", schema);
        operation.refuses(&[404]);
    }
}

/// A file that is compiled into the binary.
pub struct File {
    content_type: &'static str,
    bytes: Bytes,
    is_gzipped: bool,
}

impl Responder for File {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if self.is_gzipped {
            response.insert_header((header::CONTENT_ENCODING, "gzip"));
            response.insert_header((header::VARY, "Accept-Encoding"));
        }
        response.content_type(self.content_type).body(self.bytes)
    }
}

impl Describe for File {
    fn describe(operation: &mut Operation) {
        let text = json!({"type": "string"});
        let contents = operation.renders.iter().map(|name| (*name, &text));
        operation.answer_as(200, "The file.", &contents.collect::<Vec<_>>(), &[]);
    }
}
