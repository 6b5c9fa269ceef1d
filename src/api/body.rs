//! The body of a request, before anything is made of its fields.

use std::{future::Future, marker::PhantomData, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::{Bytes, BytesMut, Data},
};
use futures_util::StreamExt as _;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::{
    form::{Form, Password, Rule as _},
    input::{Create, Input},
    resource::Resource,
};
use crate::{
    auth::{Auth, PasswordHash, caller, password::LENGTH_MIN},
    error::Error,
    models::Retry,
    openapi::{Describe, Operation, Place},
    query::NoParams,
    server::Settings,
};

/// Bytes of a body that may hold many objects.
const ITEMS_LIMIT: usize = 16 << 20;
/// Bytes of a body that have to come in a second, once it had time to begin.
const SLOW: usize = 1_024;
/// Objects of one request at most.
const ITEMS_MAX: usize = 10_000;

/// Extractor for a JSON body of the fields that an `I` has.
pub struct Body<I> {
    value: Value,
    retry: Option<Retry>,
    hash: Option<PasswordHash>,
    input: PhantomData<fn() -> I>,
}

/// Extractor for a body of one `R` to be, or an array of them.
pub enum Items<R> {
    One(Body<Create<R>>),
    Many(Vec<Form>, Option<Retry>),
}

impl<I: Input> Body<I> {
    /// Reads all its fields.
    ///
    /// # Errors
    /// 400 for what is no object, and for fields that do not fit.
    pub fn read(self) -> Result<I, Error> {
        let mut form = self.form()?;
        let input = I::read(&mut form);
        form.finish().into_result()?;
        Ok(input)
    }

    /// Its fields, to be taken one by one.
    ///
    /// # Errors
    /// 400 for what is no object.
    pub fn form(self) -> Result<Form, Error> {
        let is_object = self.value.is_object();
        let mut form = Form::new(self.value, I::WHOLE);
        if !is_object {
            form.finish().into_result()?;
            return Err(Error::Internal("a body is no object".to_owned()));
        }
        form.hash = self.hash;
        Ok(form)
    }

    /// Under which key it may have been sent before.
    pub fn retry(&self) -> Option<Retry> {
        self.retry.clone()
    }

    /// Hashes the password that it has, if it has one: before the transaction, which must not wait for that.
    ///
    /// # Errors
    /// 503 when too many wait.
    pub async fn hash_password(mut self, auth: &Auth) -> Result<Self, Error> {
        let password = self.value.get("password").map(|value| Password.read(value));
        // One that is too short will be refused, and is not worth a hash.
        if let Some(Ok(password)) = password
            && password.chars().nth(LENGTH_MIN - 1).is_some()
        {
            self.hash = Some(auth.hasher.hash(password).await?);
        }
        Ok(self)
    }
}

impl<I: Input> FromRequest for Body<I> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, &mut payload, limit(&request)?).await?;
            body(&request, &bytes).await
        })
    }
}

impl<R: Resource> FromRequest for Items<R> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let limit = limit(&request)?;
            let bytes = read(&request, &mut payload, limit.max(ITEMS_LIMIT)).await?;
            let body = body(&request, &bytes).await?;
            match body.value {
                Value::Array(values) => many(values, body.retry),
                _ if bytes.len() > limit => Err(Error::TooLarge),
                _ => Ok(Self::One(body)),
            }
        })
    }
}

fn many<R>(values: Vec<Value>, retry: Option<Retry>) -> Result<Items<R>, Error> {
    if values.len() > ITEMS_MAX {
        let message = format!("Ensure this field has no more than {ITEMS_MAX} elements.");
        return Err(Error::field("non_field_errors", &message));
    }
    let forms = values.into_iter().map(|value| Form::new(value, true));
    Ok(Items::Many(forms.collect(), retry))
}

async fn body<I>(request: &HttpRequest, bytes: &[u8]) -> Result<Body<I>, Error> {
    let value = parse(request, bytes)?;
    // A body that cannot be read comes before a parameter that is not known.
    NoParams::extract(request).await?;
    Ok(Body {
        value,
        retry: retry(request, bytes)?,
        hash: None,
        input: PhantomData,
    })
}

impl<I: Input> Describe for Body<I> {
    fn describe(operation: &mut Operation) {
        let schema = operation.components.named(&I::name(), I::schema);
        operation.body(&schema);
        operation.refuses(&UNREADABLE);
        operation.refuses(I::REFUSALS);
        if operation.method == Method::POST && operation.is_for_users() {
            let about = "Under the same key the same request is carried out once, and answered the same for 24 hours.";
            let schema = json!({"type": "string", "pattern": "^[!-~]{1,255}$"});
            operation.parameter(Place::Header, "Idempotency-Key", about, schema);
            operation.refuses(&[422]);
        }
    }
}

impl<R: Resource> Describe for Items<R> {
    fn describe(operation: &mut Operation) {
        Body::<Create<R>>::describe(operation);
        let one = operation
            .components
            .named(&Create::<R>::name(), Create::<R>::schema);
        let some = json!({"type": "array", "items": one, "maxItems": ITEMS_MAX});
        operation.body(&json!({"anyOf": [one, some]}));
        operation.refuses_items();
    }
}

/// What a body is refused with that cannot be read, or whose parameters are not known.
const UNREADABLE: [u16; 4] = [400, 408, 413, 415];

/// The key under which a POST of somebody who has signed in may be sent again.
fn retry(request: &HttpRequest, bytes: &[u8]) -> Result<Option<Retry>, Error> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let (Some(user), &Method::POST) = (caller(request)?, request.method()) else {
        return Ok(None);
    };
    let visible = |text: &&str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let key = key
        .to_str()
        .ok()
        .filter(visible)
        .filter(|key| (1..=255).contains(&key.len()))
        .ok_or(Error::MalformedKey)?;
    let auth = request
        .app_data::<Data<Auth>>()
        .ok_or_else(|| Error::Internal("the application has no keys".to_owned()))?;
    let path = request.path().trim_end_matches('/').as_bytes();
    Ok(Some(Retry {
        user_id: user.id,
        key: key.to_owned(),
        fingerprint: auth.fingerprint(&[path, bytes]),
    }))
}

fn limit(request: &HttpRequest) -> Result<usize, Error> {
    settings(request).map(|settings| settings.body_limit)
}

fn settings(request: &HttpRequest) -> Result<&Data<Settings>, Error> {
    request
        .app_data()
        .ok_or_else(|| Error::Internal("the application has no settings".to_owned()))
}

/// The bytes of the body, up to the limit and as fast as a client is expected to send them.
async fn read(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<Bytes, Error> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Error::TooLarge);
    }
    let grace = settings(request)?.client_timeout;
    let (begun, mut bytes) = (Instant::now(), BytesMut::new());
    loop {
        let seconds = u64::try_from(bytes.len() / SLOW).unwrap_or(u64::MAX);
        let deadline = begun + grace + Duration::from_secs(seconds);
        let chunk = timeout_at(deadline, payload.next()).await;
        let Some(chunk) = chunk.map_err(|_| Error::TooSlow)? else {
            return Ok(bytes.freeze());
        };
        let chunk = chunk.map_err(|error| Error::Unparsable(error.to_string()))?;
        if chunk.len() > limit - bytes.len() {
            return Err(Error::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
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
