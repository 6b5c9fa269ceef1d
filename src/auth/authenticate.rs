//! From the `Authorization` header to the user, as the database knows them now.

use actix_web::{HttpMessage as _, HttpRequest, http::header, web::Data};

use super::{Auth, Refusal, TokenType, User};
use crate::{
    db::{Db, DbConnection},
    error::Error,
    models::{Hold, UserRights},
};

/// Who sent the request, once that has been found out.
#[derive(Clone)]
struct Caller(Option<User>);

/// The user and the session that an access token speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub user: i64,
    pub session: i64,
}

impl Identity {
    /// Looks the two up by their keys.
    ///
    /// # Errors
    /// 401 when the user is not there or not active, and when the session has ended.
    pub fn found(self, conn: &mut DbConnection) -> Result<User, Error> {
        self.judge(UserRights::in_session(conn, self.user, self.session)?)
    }

    /// As [`found`](Self::found), for a transaction that writes: until its end, what was found stays true.
    ///
    /// # Errors
    /// As [`found`](Self::found).
    pub fn held(self, conn: &mut DbConnection, hold: Hold) -> Result<User, Error> {
        self.judge(UserRights::held_in_session(
            conn,
            self.user,
            self.session,
            hold,
        )?)
    }

    fn judge(self, found: Option<(UserRights, bool)>) -> Result<User, Error> {
        let (detail, code) = match found {
            Some((user, true)) if user.is_active => {
                let UserRights {
                    id,
                    username,
                    is_staff,
                    is_active: _,
                } = user;
                return Ok(User {
                    id,
                    username,
                    is_staff,
                    session: self.session,
                });
            }
            Some((user, _)) if !user.is_active => ("User is inactive", "user_inactive"),
            Some(_) => return Err(NOT_VALID),
            None => ("User not found", "user_not_found"),
        };
        Err(Error::Unauthenticated { detail, code })
    }
}

const NOT_VALID: Error = Error::Unauthenticated {
    detail: "Given token not valid for any token type",
    code: "token_not_valid",
};

/// Finds out who is calling and notes it for the [guards](super::Guard). The token only says who, and by which session; what they
/// may do is asked of the database each time, so that a user who is demoted, deactivated or deleted is so with the next request,
/// and a token ends with its session.
///
/// # Errors
/// 401 for a header that is no single bearer token, a token that is not valid, and a user that is not active or not there.
pub async fn authenticate(request: &HttpRequest) -> Result<Option<User>, Error> {
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
pub fn caller(request: &HttpRequest) -> Result<Option<User>, Error> {
    let extensions = request.extensions();
    let caller = extensions.get::<Caller>().cloned();
    caller
        .map(|caller| caller.0)
        .ok_or_else(|| Error::Internal("a route does not authenticate".to_owned()))
}

/// The token of the header, if the header is for us: as in DRF, another scheme is no credentials at all.
fn bearer(request: &HttpRequest) -> Result<Option<&[u8]>, Error> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let mut parts = header
        .as_bytes()
        .split(u8::is_ascii_whitespace)
        .filter(|part| !part.is_empty());
    if !parts
        .next()
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
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

async fn user(request: &HttpRequest, token: &[u8]) -> Result<User, Error> {
    let missing = || Error::Internal("the application has no database or no keys".to_owned());
    let auth = request.app_data::<Data<Auth>>().ok_or_else(missing)?;
    let db = request.app_data::<Data<Db>>().ok_or_else(missing)?;
    let claims = std::str::from_utf8(token)
        .map_err(|_| Refusal::Invalid)
        .and_then(|token| auth.keys.read_as(TokenType::Access, token))
        .map_err(|_| NOT_VALID)?;
    let identity = claims.identity();
    db.glance(move |conn| identity.found(conn)).await
}
