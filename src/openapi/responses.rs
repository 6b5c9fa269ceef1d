//! What operations share: the errors, and the headers of answers.

use actix_web::{HttpResponse, ResponseError as _, body::MessageBody as _};
use serde_json::{Map, Value, json};

use super::Components;
use crate::{
    error::{Detail, Error, FieldErrors, RateLimited, fault},
    rules::REQUIRED,
};

/// An error, as operations refer to it.
pub struct SharedError {
    pub status: &'static str,
    pub name: &'static str,
    about: &'static str,
    headers: &'static [&'static str],
    body: Body,
    /// Answers as the server gives them, each with a code of its own.
    examples: fn() -> Vec<HttpResponse>,
}

/// What is in the body of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Detail,
    /// What is wrong, by field, or a detail.
    Fields,
    /// What is wrong with each of several objects, or one of the others.
    Items,
    /// A detail, or the answer to an address that has asked too often.
    Limited,
}

const fn error(
    status: &'static str,
    name: &'static str,
    (body, examples): (Body, fn() -> Vec<HttpResponse>),
    headers: &'static [&'static str],
    about: &'static str,
) -> SharedError {
    SharedError {
        status,
        name,
        about,
        headers,
        body,
        examples,
    }
}

/// The errors, the first of each status the one that is meant by it.
#[rustfmt::skip]
pub const ERRORS: [SharedError; 16] = [
    error("400", "BadRequest", (Body::Fields, examples::bad_request), &[], "Invalid fields or parameters, by name; or a body that cannot be read."),
    error("400", "BadItems", (Body::Items, examples::bad_items), &[], "Invalid fields; of an array, those of each item."),
    error("401", "Unauthorized", (Body::Detail, examples::unauthorized), &["WWW-Authenticate"], "Credentials are missing, invalid or expired."),
    error("403", "Forbidden", (Body::Detail, || one(&Error::PermissionDenied)), &[], "The caller may not do this."),
    error("404", "NotFound", (Body::Detail, || one(&Error::NoSuchObject("Company"))), &[], "There is no such object, or none that the caller may see; or the cursor is invalid."),
    error("406", "NotAcceptable", (Body::Detail, || one(&Error::NotAcceptable)), &[], "Nothing that `Accept` names can be sent."),
    error("408", "RequestTimeout", (Body::Detail, || one(&Error::TooSlow)), &[], "The request came too slowly."),
    error("412", "PreconditionFailed", (Body::Detail, || one(&Error::PreconditionFailed)), &[], "The object has changed: `If-Match` names another version."),
    error("413", "ContentTooLarge", (Body::Detail, || one(&Error::TooLarge)), &[], "The body is too large."),
    error("414", "UrlTooLong", (Body::Detail, || one(&Error::UrlTooLong)), &[], "The URL is too long."),
    error("415", "UnsupportedMediaType", (Body::Detail, || one(&Error::UnsupportedMediaType("text/csv".to_owned()))), &[], "The body is not JSON, or is compressed."),
    error("422", "KeyReused", (Body::Detail, || one(&Error::KeyReused)), &[], "The `Idempotency-Key` was sent with another request."),
    error("429", "TooManyRequests", (Body::Limited, examples::too_many), &["Retry-After"], "Too many requests."),
    error("431", "HeadTooLarge", (Body::Detail, || one(&Error::HeadTooLarge)), &[], "The headers are too many or too large."),
    error("500", "ServerError", (Body::Detail, || vec![fault("5f2c")]), &[], "A fault of the server."),
    error("503", "Unavailable", (Body::Detail, || one(&Error::Unavailable(String::new()))), &["Retry-After"], "The database is busy or refuses the request. Nothing was changed."),
];

fn one(error: &Error) -> Vec<HttpResponse> {
    vec![error.error_response()]
}

fn all(errors: &[Error]) -> Vec<HttpResponse> {
    errors.iter().map(Error::error_response).collect()
}

/// The examples of errors that take more than a line.
mod examples {
    use super::{Error, FieldErrors, HttpResponse, REQUIRED, all, one};
    use crate::{api::tokens::NO_ACCOUNT, auth::Refusal};

    pub fn bad_request() -> Vec<HttpResponse> {
        let reason = "expected value at line 1 column 1".to_owned();
        all(&[Error::field("name", REQUIRED), Error::Unparsable(reason)])
    }

    pub fn bad_items() -> Vec<HttpResponse> {
        let mut wrong = FieldErrors::default();
        wrong.add("name", REQUIRED);
        one(&Error::Items(vec![FieldErrors::default(), wrong]))
    }

    pub fn unauthorized() -> Vec<HttpResponse> {
        all(&[Error::NotAuthenticated, Refusal::Expired.into(), NO_ACCOUNT])
    }

    pub fn too_many() -> Vec<HttpResponse> {
        all(&[Error::Throttled(57), Error::RateLimited(60)])
    }
}

/// The headers of answers: name, type, and what they tell.
#[rustfmt::skip]
const HEADERS: [(&str, &str, &str); 9] = [
    ("ETag", "string", "The entity tag of the body."),
    ("Idempotency-Replayed", "string", "`true` when the answer is that of an earlier request with the same `Idempotency-Key`."),
    ("Location", "string", "The URL of the new object, or of the redirection."),
    ("RateLimit", "string", "What is left of the nearest limit (draft-ietf-httpapi-ratelimit-headers-10)."),
    ("RateLimit-Policy", "string", "The nearest limit."),
    ("Retry-After", "integer", "Seconds until another try may succeed."),
    ("Vary", "string", "The request headers that the answer depends on."),
    ("WWW-Authenticate", "string", "How to authenticate (RFC 6750)."),
    ("X-Request-Id", "string", "The request's id, which the log has too."),
];

/// A [Response Object](https://spec.openapis.org/oas/v3.1.1.html#response-object), with the headers that all have.
pub fn response(about: &str, contents: &[(&str, &Value)], headers: &[&str]) -> Value {
    let headers = headers
        .iter()
        .chain(&["RateLimit", "RateLimit-Policy", "X-Request-Id"])
        .map(|name| {
            let header = json!({"$ref": format!("#/components/headers/{name}")});
            ((*name).to_owned(), header)
        });
    let mut response = json!({"description": about, "headers": headers.collect::<Map<_, _>>()});
    if !contents.is_empty() {
        let contents = contents
            .iter()
            .map(|(name, schema)| ((*name).to_owned(), json!({"schema": schema})));
        response["content"] = contents.collect::<Map<_, _>>().into();
    }
    response
}

/// The errors by name.
pub fn errors(components: &mut Components) -> Map<String, Value> {
    let named = |error: &SharedError| {
        let schema = error.body.schema(components);
        let contents = [("application/json", &schema)];
        let mut response = response(error.about, &contents, error.headers);
        response["content"]["application/json"]["examples"] = error.shown();
        (error.name.to_owned(), response)
    };
    ERRORS.iter().map(named).collect()
}

/// The headers by name.
pub fn headers() -> Map<String, Value> {
    let named = |(name, kind, about): &(&str, &str, &str)| {
        let header = json!({"description": about, "schema": {"type": kind}});
        ((*name).to_owned(), header)
    };
    HEADERS.iter().map(named).collect()
}

impl SharedError {
    /// The examples by their codes.
    fn shown(&self) -> Value {
        let named = |answer: HttpResponse| {
            let body = answer.into_body().try_into_bytes().ok()?;
            let value: Value = serde_json::from_slice(&body).ok()?;
            let name = match &value {
                Value::Array(_) => "items",
                Value::Object(fields) if fields.contains_key("error") => "address",
                value => value["code"].as_str().unwrap_or("fields"),
            };
            Some((name.to_owned(), json!({"value": value})))
        };
        let examples = (self.examples)().into_iter().filter_map(named);
        examples.collect::<Map<_, _>>().into()
    }
}

impl Body {
    fn schema(self, components: &mut Components) -> Value {
        let detail = components.schema::<Detail>();
        let mut fields = || components.schema::<FieldErrors>();
        match self {
            Self::Detail => detail,
            Self::Fields => json!({"anyOf": [detail, fields()]}),
            Self::Items => {
                let fields = fields();
                json!({"anyOf": [detail, fields, {"type": "array", "items": fields}]})
            }
            Self::Limited => {
                let limited = components.schema::<RateLimited>();
                json!({"anyOf": [detail, limited]})
            }
        }
    }
}
