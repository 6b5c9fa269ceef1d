//! From the `Authorization` header to the user, as the database knows them now.

use actix_web::{HttpMessage as _, HttpRequest, http::header, web::Data};

use super::{Auth, TokenType};
use crate::{db::Db, error::Error, models::UserRights};

/// Who sent the request, once that has been found out.
#[derive(Clone)]
struct Caller(Option<UserRights>);

/// Finds out who is calling and notes it for the [guards](super::Guard). The token only says who; what they may do is asked
/// of the database each time, so that whoever is demoted, deactivated or deleted is so with the next request.
///
/// # Errors
/// 401 for a header that is no single bearer token, a token that is not valid, and a user that is not active or not there.
pub async fn authenticate(request: &HttpRequest) -> Result<Option<UserRights>, Error> {
    let user = match bearer(request)? {
        Some(token) => Some(user(request, token).await?),
        None => None,
    };
    request.extensions_mut().insert(Caller(user.clone()));
    Ok(user)
}

/// Notes that nobody was asked who they are.
pub fn leave_anonymous(request: &HttpRequest) {
    request.extensions_mut().insert(Caller(None));
}

/// Whom [`authenticate`] found.
///
/// # Errors
/// [`Error::Internal`] when nobody has looked: a route without its guard answers nobody.
pub fn caller(request: &HttpRequest) -> Result<Option<UserRights>, Error> {
    let extensions = request.extensions();
    let caller = extensions.get::<Caller>().cloned();
    caller
        .map(|caller| caller.0)
        .ok_or_else(|| Error::Internal("a route does not authenticate".to_owned()))
}

/// Whether the caller is known to be staff.
pub fn is_staff(request: &HttpRequest) -> bool {
    matches!(caller(request), Ok(Some(user)) if user.is_staff)
}

/// The token of the header, if the header is for us: as in DRF, another scheme is no credentials at all.
fn bearer(request: &HttpRequest) -> Result<Option<&str>, Error> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    // What is no text is no token, and of no scheme that we know.
    let mut parts = header.to_str().unwrap_or_default().split_ascii_whitespace();
    if !parts
        .next()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer"))
    {
        return Ok(None);
    }
    match (parts.next(), parts.next()) {
        (Some(token), None) => Ok(Some(token)),
        _ => Err(Error::Unauthenticated {
            detail: "Authorization header must contain two space-delimited values",
            code: "bad_authorization_header",
        }),
    }
}

async fn user(request: &HttpRequest, token: &str) -> Result<UserRights, Error> {
    let missing = || Error::Internal("the application has no database or no keys".to_owned());
    let auth = request.app_data::<Data<Auth>>().ok_or_else(missing)?;
    let db = request.app_data::<Data<Db>>().ok_or_else(missing)?;
    let claims = auth.keys.read_as(TokenType::Access, token);
    let id = claims
        .map_err(|_| Error::Unauthenticated {
            detail: "Given token not valid for any token type",
            code: "token_not_valid",
        })?
        .user();
    let found = db
        .glance(move |conn| UserRights::find(conn, id).map_err(Error::from))
        .await?;
    match found {
        Some(user) if user.is_active => Ok(user),
        Some(_) => Err(Error::Unauthenticated {
            detail: "User is inactive",
            code: "user_inactive",
        }),
        None => Err(Error::Unauthenticated {
            detail: "User not found",
            code: "user_not_found",
        }),
    }
}
