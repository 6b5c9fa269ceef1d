//! The body of a request, before anything is made of its fields.

use std::{future::Future, marker::PhantomData, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web::{Bytes, BytesMut, Data},
};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

use super::{
    form::{Form, Password, Rule as _},
    input::{Create, Input},
    resource::Resource,
};
use crate::{
    auth::{Auth, PasswordHash, caller, password::LENGTH_MIN},
    error::Error,
    json::{Fault, ITEMS_MAX, Json},
    models::Retry,
    openapi::{Describe, Operation, Place},
    query::NoParams,
    server::Settings,
};

/// Bytes of a body that may hold many objects.
const ITEMS_LIMIT: usize = 16 << 20;
/// Bytes of a body that have to come in a second, once it had time to begin.
const SLOW: usize = 1_024;

/// Extractor for a JSON body of the fields that an `I` has.
pub struct Body<I> {
    value: Json,
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
        let is_object = matches!(self.value, Json::Object(_));
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
        let password = match &self.value {
            Json::Object(fields) if I::HAS_PASSWORD => {
                fields.get("password").map(|value| Password.read(value))
            }
            _ => None,
        };
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
                Json::List(values) => Ok(many(values, body.retry)),
                _ if bytes.len() > limit => Err(Error::TooLarge),
                _ => Ok(Self::One(body)),
            }
        })
    }
}

fn many<R>(values: Vec<Json>, retry: Option<Retry>) -> Items<R> {
    let forms = values.into_iter().map(|value| Form::new(value, true));
    Items::Many(forms.collect(), retry)
}

async fn body<I>(request: &HttpRequest, bytes: &Bytes) -> Result<Body<I>, Error> {
    must_be_json(request, bytes)?;
    let text = bytes.clone();
    let value = off_thread(bytes, move || parse(&text)).await??;
    // A body that cannot be read comes before a parameter that is not known.
    NoParams::extract(request).await?;
    Ok(Body {
        value,
        retry: retry(request, bytes).await?,
        hash: None,
        input: PhantomData,
    })
}

/// Does work that takes time with the length of the body: that of a long one on a thread that may block.
async fn off_thread<T: Send + 'static>(
    bytes: &Bytes,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    /// Bytes that are read in less than a millisecond.
    const SHORT: usize = 64 << 10;
    if bytes.len() <= SHORT {
        return Ok(work());
    }
    spawn_blocking(work)
        .await
        .map_err(|_| Error::Internal("reading a body panicked".to_owned()))
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
async fn retry(request: &HttpRequest, bytes: &Bytes) -> Result<Option<Retry>, Error> {
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
    let path = request.path().trim_end_matches('/').to_owned();
    let (auth, text) = (auth.clone(), bytes.clone());
    let fingerprint = off_thread(bytes, move || auth.fingerprint(&[path.as_bytes(), &text]));
    Ok(Some(Retry {
        user_id: user.id,
        key: key.to_owned(),
        fingerprint: fingerprint.await?,
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

/// Refuses a body of another media type, and one that is compressed.
fn must_be_json(request: &HttpRequest, bytes: &[u8]) -> Result<(), Error> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    let is_plain =
        |encoding: &header::HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
    if let Some(encoding) = encoding.filter(|encoding| !bytes.is_empty() && !is_plain(encoding)) {
        let encoding = encoding.to_str().unwrap_or_default();
        return Err(Error::UnsupportedMediaType(encoding.to_owned()));
    }
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap_or_default());
    if bytes.is_empty() || is_json(media_type) {
        Ok(())
    } else {
        Err(Error::UnsupportedMediaType(media_type.to_owned()))
    }
}

/// No body is an empty object, as in DRF.
fn parse(bytes: &[u8]) -> Result<Json, Error> {
    if bytes.is_empty() {
        return Ok(Json::empty());
    }
    Json::parse(bytes).map_err(|fault| match fault {
        Fault::Unparsable(reason) => Error::Unparsable(reason),
        Fault::TooManyItems => {
            let message = format!("Ensure this field has no more than {ITEMS_MAX} elements.");
            Error::field("non_field_errors", &message)
        }
    })
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
