use actix_web::{
    Error as ActixError, HttpMessage as _, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderValue},
    middleware::Next,
};

/// Who may keep an answer (RFC 9111). Every [guard](crate::auth::Guard) says it of those that it lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// The answer is the same for every client. A cache may keep it and revalidates it with its tag.
    Public,
    /// It depends on who asks: only the client itself keeps it.
    Private,
    /// There is a token, key or secret in it: nobody keeps it.
    Secret,
    /// Its URL changes with it: nobody need ask again.
    Immutable,
}

impl Caching {
    /// Says it of the answer to a request, in the place of what was said before.
    pub fn say(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    fn value(self) -> &'static str {
        match self {
            Self::Public => "public, no-cache",
            Self::Private => "private, no-cache",
            Self::Secret => "no-store",
            Self::Immutable => "public, max-age=31536000, immutable",
        }
    }
}

/// Writes it into every answer. Errors are kept by nobody, and what nothing is said of neither.
///
/// # Errors
/// Those of the service inside.
pub async fn say_caching<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, ActixError> {
    let mut response = next.call(request).await?;
    let status = response.status();
    let said = response.request().extensions().get::<Caching>().copied();
    let caching = match said {
        Some(caching) if !status.is_client_error() && !status.is_server_error() => caching,
        _ => Caching::Secret,
    };
    let headers = response.headers_mut();
    let value = HeaderValue::from_static(caching.value());
    headers.insert(header::CACHE_CONTROL, value);
    if caching == Caching::Private {
        headers.append(header::VARY, HeaderValue::from_static("Authorization"));
    }
    Ok(response)
}
