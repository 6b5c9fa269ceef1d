//! The documentation page: Swagger UI, compiled into the binary.

use std::{
    borrow::Cow,
    future::{Ready, ready},
    io::Read as _,
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    dev::Payload,
    http::header::{self, HeaderMap},
};
use flate2::read::GzDecoder;
use serde_json::json;
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::{
    auth::Anyone,
    error::Error,
    middleware::Encoding,
    openapi::{Describe, Operation, Place},
    query::NoParams,
};

pub const PAGE_TYPES: [&str; 1] = ["text/html"];
pub const FILE_TYPES: [&str; 3] = ["text/javascript", "text/css", "image/png"];

pub async fn get_docs(_: Anyone, _: NoParams) -> File {
    File::text("text/html", include_str!("index.html"))
}

pub async fn get_docs_file(
    _: Anyone,
    _: NoParams,
    request: HttpRequest,
    name: FileName,
) -> Result<File, Error> {
    match name.0.as_str() {
        "start.js" => Ok(File::text("text/javascript", include_str!("start.js"))),
        name @ ("swagger-ui.css" | "swagger-ui-bundle.js" | "favicon-32x32.png") => {
            let found = utoipa_swagger_ui::serve(name, Arc::new(Config::default()));
            let found = found.map_err(|error| Error::Internal(error.to_string()))?;
            File::found(found.ok_or(Error::NoSuchPath)?, request.headers())
        }
        _ => Err(Error::NoSuchPath),
    }
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
        let schema = json!({"type": "string", "examples": ["start.js"]});
        operation.parameter(Place::Path, "file", "The name of the file.", schema);
        operation.refuses(&[404]);
    }
}

/// A file that is compiled into the binary.
pub struct File {
    content_type: String,
    bytes: Cow<'static, [u8]>,
    is_gzipped: bool,
}

impl File {
    fn text(content_type: &str, text: &'static str) -> Self {
        Self {
            content_type: format!("{content_type}; charset=utf-8"),
            bytes: text.as_bytes().into(),
            is_gzipped: false,
        }
    }

    /// A file that is stored compressed. It is sent as it is to a client that accepts gzip.
    fn found(file: SwaggerFile<'static>, headers: &HeaderMap) -> Result<Self, Error> {
        let is_gzipped = file.gzpipped && Encoding::Gzip.is_taken(headers);
        let bytes = if file.gzpipped && !is_gzipped {
            let mut bytes = Vec::new();
            GzDecoder::new(&*file.bytes)
                .read_to_end(&mut bytes)
                .map_err(|error| Error::Internal(error.to_string()))?;
            bytes.into()
        } else {
            file.bytes
        };
        Ok(Self {
            content_type: file.content_type,
            bytes,
            is_gzipped,
        })
    }
}

impl Responder for File {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if self.is_gzipped {
            response.insert_header((header::CONTENT_ENCODING, "gzip"));
            response.insert_header((header::VARY, "Accept-Encoding"));
        }
        response
            .content_type(self.content_type)
            .body(self.bytes.into_owned())
    }
}

impl Describe for File {
    fn describe(operation: &mut Operation) {
        let text = json!({"type": "string"});
        let contents = operation.renders.iter().map(|name| (*name, &text));
        operation.answer_as(200, "The file.", &contents.collect::<Vec<_>>(), &[]);
    }
}
