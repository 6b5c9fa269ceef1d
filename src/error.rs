//! What goes wrong with a request, and the one place that makes JSON of it.

use std::{collections::BTreeMap, fmt};

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{Method, StatusCode, header},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{db, rules};

/// Every answer that is not the one asked for.
#[derive(Debug)]
pub enum Error {
    /// 400: values that do not fit, by field or parameter.
    Fields(FieldErrors),
    /// 400: a browser asks for a page of an origin that may not call, or for what it may not; and what exactly.
    OriginRefused(String),
    /// 400: what was sent is no request, and why.
    Malformed(&'static str),
    /// 400: the request is for no host, or for none that this server is.
    InvalidHost,
    /// 404: nothing has this path.
    NoSuchPath,
    /// 404: no object of this name has the id, or none that the caller may see.
    NoSuchObject(&'static str),
    /// 404: a cursor that is damaged or of another list.
    InvalidCursor,
    /// 400: what does not fit in each of several objects; nothing where one is fine.
    Items(Vec<FieldErrors>),
    /// 400: an `Idempotency-Key` that is none.
    MalformedKey,
    /// 400: a body that is no JSON, and why.
    Unparsable(String),
    /// 401: nobody has signed in.
    NotAuthenticated,
    /// 401: credentials that are not good.
    Unauthenticated {
        detail: &'static str,
        code: &'static str,
    },
    /// 403: not for this user.
    PermissionDenied,
    /// 403: an object that everybody sees and another user owns.
    NotTheOwner,
    /// 405, with what the path does allow.
    MethodNotAllowed { method: Method, allow: String },
    /// 406: the client accepts nothing that there is.
    NotAcceptable,
    /// 412: the object is not as the client expects it.
    PreconditionFailed,
    /// 413: a body over the limit.
    TooLarge,
    /// 414: a URL that is too long.
    UrlTooLong,
    /// 400: the answer would be larger than any may be.
    AnswerTooLarge,
    /// 415: a body of this type.
    UnsupportedMediaType(String),
    /// 422: an `Idempotency-Key` that was another request's.
    KeyReused,
    /// 429: too many requests of one address, and the seconds until there may be more.
    RateLimited(u64),
    /// 429: too many requests of one class, and the seconds until there may be more.
    Throttled(u64),
    /// 408: a request that comes too slowly.
    TooSlow,
    /// 431: too many headers, or too large ones.
    HeadTooLarge,
    /// 503: not ready to serve, and why: what anybody may know, and what is for the log.
    NotReady { shown: String, reason: String },
    /// 503: busy, or the storage refuses. The text is for the log.
    Unavailable(String),
    /// 503: a question that the database takes too long for.
    QueryTimeout,
    /// 500: a fault of the server. The text is for the log.
    Internal(String),
}

/// Messages by field, the fields in the order of their names.
///
/// ```json
/// {"name": ["This field is required."]}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
pub struct FieldErrors(BTreeMap<String, Vec<String>>);

/// Fields that are named at most: more of them would make a large answer of a small request, and say nothing new.
const NAMED_MAX: usize = 20;

impl FieldErrors {
    /// Adds a message, once however often the field repeats it. When many fields have one already, no other is named.
    pub fn add(&mut self, field: &str, message: &str) {
        if self.is_full() && !self.contains(field) {
            return;
        }
        let messages = self.0.entry(field.to_owned()).or_default();
        if !messages.iter().any(|known| known == message) {
            messages.push(message.to_owned());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no other field will be named.
    pub fn is_full(&self) -> bool {
        self.0.len() >= NAMED_MAX
    }

    /// Each field with its messages.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(field, messages)| (field.as_str(), messages.as_slice()))
    }

    /// Whether the field has any message.
    pub fn contains(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// # Errors
    /// [`Error::Fields`] when there is any message.
    pub fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Error::Fields(self))
        }
    }
}

/// The body of an error that belongs to no field.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "DRF calls it so")]
#[schema(as = Error)]
pub struct Detail<'a> {
    /// What is wrong, for people.
    detail: &'a str,
    /// What is wrong, for programs.
    code: &'a str,
    /// Of a fault, for whoever looks it up in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<&'a str>,
}

/// The body of an answer to an address that has asked too often.
///
/// ```json
/// {"error": "Rate limit exceeded. Try again in 60 seconds."}
/// ```
#[derive(Serialize, ToSchema)]
pub struct RateLimited {
    error: String,
}

/// Seconds after which a client may try again when the database was busy.
const RETRY_AFTER: &str = "1";

/// What a 401 asks for (RFC 6750).
const CHALLENGE: &str = "Bearer realm=\"api\"";

impl Error {
    /// One message of one field.
    pub fn field(name: &str, message: &str) -> Self {
        let mut errors = FieldErrors::default();
        errors.add(name, message);
        Self::Fields(errors)
    }

    /// A fault of the server, with what caused it.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many errors quote what caused them.
            if !reason.contains(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        Self::Internal(reason)
    }

    /// What happened, for the log: the client is told no more than that something did.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unavailable(reason) | Self::NotReady { reason, .. } | Self::Internal(reason) => {
                Some(reason)
            }
            // All that the log has of a request that could not be read.
            Self::Malformed(reason) => Some(reason),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Fields(_) | Self::Items(_) => "invalid",
            Self::MalformedKey => "idempotency_key_malformed",
            Self::PreconditionFailed => "precondition_failed",
            Self::KeyReused => "idempotency_key_reused",
            Self::NoSuchPath | Self::NoSuchObject(_) | Self::InvalidCursor => "not_found",
            Self::OriginRefused(_) => "origin_refused",
            Self::Unparsable(_) => "parse_error",
            Self::Malformed(_) => "malformed_request",
            Self::InvalidHost => "invalid_host",
            Self::UrlTooLong => "url_too_long",
            Self::HeadTooLarge => "head_too_large",
            Self::NotAuthenticated => "not_authenticated",
            Self::Unauthenticated { code, .. } => code,
            Self::PermissionDenied | Self::NotTheOwner => "permission_denied",
            Self::TooLarge => "request_too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::NotAcceptable => "not_acceptable",
            Self::RateLimited(_) => "rate_limited",
            Self::Throttled(_) => "throttled",
            Self::TooSlow => "request_timeout",
            Self::NotReady { .. } | Self::Unavailable(_) => "unavailable",
            Self::AnswerTooLarge => "answer_too_large",
            Self::QueryTimeout => "query_timeout",
            Self::Internal(_) => "error",
        }
    }
}

/// The text that the client sees.
impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fields(_) | Self::Items(_) => out.write_str("Invalid input."),
            Self::MalformedKey => {
                out.write_str("An Idempotency-Key is 1 to 255 visible characters.")
            }
            Self::PreconditionFailed => {
                out.write_str("The object is not as the request expects it.")
            }
            Self::KeyReused => out.write_str("This Idempotency-Key was sent with another request."),
            Self::NoSuchPath => out.write_str("Not found."),
            Self::NoSuchObject(name) => write!(out, "No {name} matches the given query."),
            Self::InvalidCursor => out.write_str("Invalid cursor"),
            Self::OriginRefused(reason) => write!(out, "{reason}."),
            Self::Unparsable(reason) => write!(out, "JSON parse error - {reason}"),
            Self::NotAuthenticated => {
                out.write_str("Authentication credentials were not provided.")
            }
            Self::Unauthenticated { detail, .. } => out.write_str(detail),
            Self::PermissionDenied => {
                out.write_str("You do not have permission to perform this action.")
            }
            Self::NotTheOwner => {
                out.write_str("Access restricted to the object owner or admin users.")
            }
            Self::TooLarge => out.write_str("Request body exceeded the size limit."),
            Self::UnsupportedMediaType(name) => {
                write!(out, "Unsupported media type \"{name}\" in request.")
            }
            Self::MethodNotAllowed { method, .. } => {
                write!(out, "Method \"{method}\" not allowed.")
            }
            Self::NotAcceptable => out.write_str("Could not satisfy the request Accept header."),
            Self::RateLimited(wait) => {
                write!(out, "Rate limit exceeded. Try again in {}.", seconds(*wait))
            }
            Self::Throttled(wait) => write!(
                out,
                "Request was throttled. Expected available in {}.",
                seconds(*wait)
            ),
            Self::TooSlow => out.write_str("The request came too slowly."),
            Self::Malformed(reason) => out.write_str(reason),
            Self::InvalidHost => out.write_str("This server is not the host of the request."),
            Self::UrlTooLong => out.write_str("The URL is too long."),
            Self::HeadTooLarge => out.write_str("The headers are too many or too large."),
            Self::NotReady { shown, .. } => out.write_str(shown),
            Self::Unavailable(_) => out.write_str("The service is temporarily unavailable."),
            Self::AnswerTooLarge => out.write_str(
                "The answer would be larger than 32 MiB: ask for fewer objects or fields.",
            ),
            Self::QueryTimeout => out.write_str("The query took too long."),
            Self::Internal(_) => out.write_str("A server error occurred."),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Fields(_)
            | Self::Items(_)
            | Self::MalformedKey
            | Self::OriginRefused(_)
            | Self::Malformed(_)
            | Self::InvalidHost
            | Self::AnswerTooLarge
            | Self::Unparsable(_) => StatusCode::BAD_REQUEST,
            Self::UrlTooLong => StatusCode::URI_TOO_LONG,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotAuthenticated | Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied | Self::NotTheOwner => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoSuchPath | Self::NoSuchObject(_) | Self::InvalidCursor => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::RateLimited(_) | Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotReady { .. } | Self::Unavailable(_) | Self::QueryTimeout => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Fields(errors) => return response.json(errors),
            Self::Items(errors) => return response.json(errors),
            Self::MethodNotAllowed { allow, .. } => {
                response.insert_header((header::ALLOW, allow.as_str()));
            }
            Self::NotAuthenticated | Self::Unauthenticated { .. } => {
                response.insert_header((header::WWW_AUTHENTICATE, CHALLENGE));
            }
            Self::RateLimited(wait) => {
                response.insert_header((header::RETRY_AFTER, *wait));
                let error = self.to_string();
                return response.json(RateLimited { error });
            }
            Self::Throttled(wait) => {
                response.insert_header((header::RETRY_AFTER, *wait));
            }
            // What is still to come of the body is not waited for.
            Self::TooSlow => {
                response.force_close();
            }
            Self::NotReady { .. } | Self::Unavailable(_) => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        response.json(Detail {
            detail: &self.to_string(),
            code: self.code(),
            request_id: None,
        })
    }
}

/// The answer to a request of that name when the fault was the server's.
pub fn fault(request_id: &str) -> HttpResponse {
    let error = Error::Internal(String::new());
    HttpResponse::InternalServerError().json(Detail {
        detail: &error.to_string(),
        code: error.code(),
        request_id: Some(request_id),
    })
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Unavailable(reason)
            | db::Error::Refused(reason)
            | db::Error::Lost(reason) => Self::Unavailable(reason),
            db::Error::TooLong => Self::QueryTimeout,
            db::Error::Taken { table, column } => taken(&table, &column),
            db::Error::Gone { column, id } => Self::field(
                field_of(&column),
                &format!("Invalid pk \"{id}\" - object does not exist."),
            ),
            db::Error::Panicked | db::Error::Query(_) => Self::internal(&error),
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        db::Error::from(error).into()
    }
}

/// The value is another object's, says the database, whatever was seen before.
fn taken(table: &str, column: &str) -> Error {
    let field = field_of(column);
    let object = match table {
        "companies" => "company",
        plural => plural.trim_end_matches('s'),
    };
    Error::field(field, &rules::taken(object, field))
}

/// The field that a column keeps: `name_key` the name, `user_id` the user.
fn field_of(column: &str) -> &str {
    ["_key", "_id"]
        .iter()
        .find_map(|suffix| column.strip_suffix(suffix))
        .unwrap_or(column)
}

/// `57 seconds`
fn seconds(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} second{plural}")
}

/// Answers whatever no route takes.
///
/// # Errors
/// Always.
pub async fn no_such_path(_: HttpRequest) -> Result<HttpResponse, Error> {
    Err(Error::NoSuchPath)
}
