use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev::Payload, http::header};
use serde_json::json;

use crate::{
    auth::Anyone,
    error::Error,
    middleware::preferred,
    openapi::{self, Describe, Operation, Place},
    query::Params,
};

/// The media types of JSON and YAML that clients ask for.
pub const MEDIA_TYPES: [&str; 6] = [
    "application/json",
    "application/yaml",
    "application/vnd.oai.openapi+json",
    "application/vnd.oai.openapi",
    "application/x-yaml",
    "text/yaml",
];

pub async fn get_schema(_: Anyone, spelling: Spelling) -> Result<Document, Error> {
    let document = openapi::document()?;
    let Spelling(media_type) = spelling;
    let text = if media_type.ends_with("json") {
        &document.json
    } else {
        &document.yaml
    };
    Ok(Document { media_type, text })
}

/// Extractor for the media type, from the parameter `format`, or else from `Accept`.
pub struct Spelling(&'static str);

/// The description as JSON or YAML.
pub struct Document {
    media_type: &'static str,
    text: &'static str,
}

impl FromRequest for Spelling {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(spelling(request).map(Self))
    }
}

fn spelling(request: &HttpRequest) -> Result<&'static str, Error> {
    let params = Params::parse(request.query_string());
    params.known(&["format"])?;
    match params.last("format") {
        Some("json") => Ok(MEDIA_TYPES[0]),
        Some("yaml") => Ok(MEDIA_TYPES[1]),
        Some(other) => {
            let message =
                format!("Select a valid choice. {other} is not one of the available choices.");
            Err(Error::field("format", &message))
        }
        None => preferred(request.headers(), &MEDIA_TYPES).ok_or(Error::NotAcceptable),
    }
}

impl Responder for Document {
    type Body = &'static str;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<Self::Body> {
        let content_type = if self.media_type.starts_with("text/") {
            format!("{}; charset=utf-8", self.media_type)
        } else {
            self.media_type.to_owned()
        };
        let mut response = HttpResponse::Ok();
        response
            .content_type(content_type)
            .insert_header((header::VARY, "Accept"))
            .message_body(self.text)
            .unwrap_or_else(|_| HttpResponse::InternalServerError().finish().set_body(""))
    }
}

impl Describe for Spelling {
    fn describe(operation: &mut Operation) {
        let schema = json!({"type": "string", "enum": ["json", "yaml"]});
        let about = "`json` or `yaml`, whatever `Accept` says.";
        operation.parameter(Place::Query, "format", about, schema);
        operation.refuses(&[400]);
    }
}

impl Describe for Document {
    fn describe(operation: &mut Operation) {
        let (json, yaml) = (json!({"type": "object"}), json!({}));
        let contents = MEDIA_TYPES.map(|media_type| {
            let schema = if media_type.ends_with("json") {
                &json
            } else {
                &yaml
            };
            (media_type, schema)
        });
        operation.answer_as(200, "OpenAPI 3.1.", &contents, &["Vary"]);
    }
}
