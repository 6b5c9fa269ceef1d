//! The body of a request, before anything is made of its fields.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::{self, Bytes, Data},
};
use serde_json::{Map, Value};

use super::form::{Form, type_name};
use crate::{error::Error, query::NoParams, server::Settings};

/// Extractor for a JSON body: what was read, and whether it is the whole object or, for PATCH, a part.
pub struct Body {
    value: Value,
    whole: bool,
}

impl Body {
    /// The text of a field, if it is there and a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value.get(name)?.as_str()
    }

    /// Its fields, to be taken one by one.
    ///
    /// # Errors
    /// 400 for what is no object.
    pub fn form(self) -> Result<Form, Error> {
        match self.value {
            Value::Object(fields) => Ok(Form::new(fields, self.whole)),
            other => Err(Error::field(
                "non_field_errors",
                &format!(
                    "Invalid data. Expected a dictionary, but got {}.",
                    type_name(&other)
                ),
            )),
        }
    }
}

impl FromRequest for Body {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, &mut payload).await?;
            let value = parse(&request, &bytes)?;
            // A body that cannot be read comes before a parameter that is not known.
            NoParams::extract(&request).await?;
            Ok(Self {
                value,
                whole: request.method() != Method::PATCH,
            })
        })
    }
}

/// The bytes of the body, up to the limit.
async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<Bytes, Error> {
    let limit = request
        .app_data::<Data<Settings>>()
        .map(|settings| settings.body_limit)
        .ok_or_else(|| Error::Internal("the application has no settings".to_owned()))?;
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Error::TooLarge);
    }
    let body = web::Payload::from_request(request, payload).await;
    let body = body.map_err(|error| Error::Unparsable(error.to_string()))?;
    body.to_bytes_limited(limit)
        .await
        .map_err(|_| Error::TooLarge)?
        .map_err(|error| Error::Unparsable(error.to_string()))
}

/// No body is an empty object, as in DRF.
fn parse(request: &HttpRequest, bytes: &[u8]) -> Result<Value, Error> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or_default());
    if !is_json(media_type) {
        return Err(Error::UnsupportedMediaType(media_type.to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|error| Error::Unparsable(error.to_string()))
}

/// JSON, in UTF-8 (RFC 8259 knows no other).
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    });
    json && charset.is_none_or(|charset| {
        ["utf-8", "utf8"]
            .iter()
            .any(|utf8| charset.eq_ignore_ascii_case(utf8))
    })
}
