//! Signing in, staying so, and ending it, as djangorestframework-simplejwt.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::header,
    web::{Data, Json},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Body, Form, Input, Transaction, form};
use crate::{
    auth::{
        Anonymous, Auth, Claims, Identity, PasswordHash, Refusal, TokenType, jti_hash, new_jti,
    },
    db::{DbConnection, Reader, Stamp},
    error::Error,
    limits::{Attempt, count_login},
    models::{
        Action, Author, Candidate, Family, NewRefreshToken, Next, ObjectType, Origin, Session,
        SignIn, Use, User, UserRights,
    },
    urls,
};

/// A pair of tokens.
///
/// ```json
/// {"access": "eyJhbGciOiJIUzI1NiJ9…", "refresh": "eyJhbGciOiJIUzI1NiJ9…"}
/// ```
#[derive(Serialize, ToSchema)]
pub struct TokenPair {
    /// Goes with each request.
    pub access: String,
    /// Gets the next pair, once.
    pub refresh: String,
}

/// It is so, and there is no more to say.
///
/// ```json
/// {}
/// ```
#[derive(Debug, Serialize, ToSchema)]
pub struct Empty {}

/// What stands for a token in an example, for nobody can send one that is made up.
const TOKEN_EXAMPLE: &str = "eyJhbGciOiJIUzI1NiJ9…";

/// What signs in.
pub struct Credentials {
    username: String,
    password: String,
}

/// A token that renews a session.
pub struct RefreshToken(String);

/// A token of either type.
pub struct AnyToken(String);

impl Input for Credentials {
    const REFUSALS: &[u16] = &[401];

    fn name() -> String {
        "Credentials".to_owned()
    }

    fn example() -> Option<Value> {
        Some(json!({"username": "ada", "password": form::PASSWORD_EXAMPLE}))
    }

    fn read(form: &mut Form) -> Self {
        let (mut username, mut password) = (String::new(), String::new());
        form.required("username", &mut username, form::text(User::USERNAME_MAX));
        form.required("password", &mut password, form::Password);
        Self { username, password }
    }
}

impl Input for RefreshToken {
    const REFUSALS: &[u16] = &[401];

    fn name() -> String {
        "RefreshToken".to_owned()
    }

    fn example() -> Option<Value> {
        Some(json!({"refresh": TOKEN_EXAMPLE}))
    }

    fn read(form: &mut Form) -> Self {
        Self(token(form, "refresh"))
    }
}

impl Input for AnyToken {
    const REFUSALS: &[u16] = &[401];

    fn name() -> String {
        "AnyToken".to_owned()
    }

    fn example() -> Option<Value> {
        Some(json!({"token": TOKEN_EXAMPLE}))
    }

    fn read(form: &mut Form) -> Self {
        Self(token(form, "token"))
    }
}

fn token(form: &mut Form, name: &str) -> String {
    let mut token = String::new();
    form.required(name, &mut token, form::text(usize::MAX));
    token
}

pub async fn obtain_token(
    anonymous: Anonymous,
    request: HttpRequest,
    db: Data<Reader>,
    transaction: Transaction,
    auth: Data<Auth>,
    body: Body<Credentials>,
) -> Result<Json<TokenPair>, Error> {
    let Credentials { username, password } = body.read()?;
    count_login(&request, &username).await?;
    let (origin, now) = (origin(&request), Stamp::now());
    let (name, from) = (username.clone(), origin.clone());
    let candidate = db
        .read(move |conn| Candidate::find(conn, &name, &from, now).map_err(Error::from))
        .await?;
    // Somebody who guesses from elsewhere must not lock out the user who is signed in here.
    let attempt = if candidate.is_signed_in {
        None
    } else {
        Some(Attempt::begin(&request, &username).await?)
    };
    let checked = check(&auth, candidate, password, origin).await?;
    let begun = match checked {
        Ok(sign_in) => begin(anonymous, transaction, &auth, sign_in).await?,
        Err(known) => {
            record_failure(anonymous, transaction, known).await?;
            None
        }
    };
    match (attempt, begun.is_some()) {
        (Some(attempt), true) => attempt.succeeded(&request).await?,
        (Some(attempt), false) => attempt.failed(&request),
        (None, _) => {}
    }
    begun.map(Json).ok_or(NO_ACCOUNT)
}

/// Who signs in, if the password is theirs; else the user alone, if there is one. It takes the same time whichever of them
/// is wrong.
async fn check(
    auth: &Auth,
    candidate: Candidate,
    password: String,
    origin: Origin,
) -> Result<Result<(User, SignIn), Option<User>>, Error> {
    let (hash, kinds) = (candidate.hash(), candidate.kinds);
    let matches = auth.hasher.signs_in(hash, kinds, password.clone()).await?;
    match candidate.user {
        Some((user, checked)) if matches => {
            let sign_in = SignIn {
                user_id: user.id,
                renewed: renewed(auth, &checked, password).await?,
                checked,
                origin,
            };
            Ok(Ok((user, sign_in)))
        }
        known => Ok(Err(known.map(|(user, _)| user))),
    }
}

/// A hash as they are made now, for a password whose hash is not.
async fn renewed(
    auth: &Auth,
    checked: &PasswordHash,
    password: String,
) -> Result<Option<PasswordHash>, Error> {
    if checked.is_current() {
        Ok(None)
    } else {
        auth.hasher.hash(password).await.map(Some)
    }
}

/// Begins a session, unless the password or the user has changed since it was checked.
async fn begin(
    anonymous: Anonymous,
    transaction: Transaction,
    auth: &Auth,
    (user, sign_in): (User, SignIn),
) -> Result<Option<TokenPair>, Error> {
    let (jti, now) = (new_jti()?, Stamp::now());
    let next = auth.next(&jti, now);
    let expires_at = next.token.expires_at;
    let (id, is_staff) = (user.id, user.is_staff);
    let begin = move |conn: &mut DbConnection, (), mut author: Author| {
        let begun = sign_in.begin(conn, &next, now)?;
        if begun.is_some() {
            author.username = Some(user.username);
            author.record(
                conn,
                Action::Login,
                (ObjectType::User, Some(id)),
                &Map::new(),
            )?;
        }
        Ok(begun)
    };
    let session = transaction.run(anonymous, begin).await?;
    let grant = |session| Grant {
        identity: Identity { user: id, session },
        is_staff,
        jti,
        at: now,
        expires_at,
    };
    session.map(|session| auth.pair(grant(session))).transpose()
}

/// Records that a sign-in failed. A name that is nobody's is not told: it may be a password in the wrong field.
async fn record_failure(
    anonymous: Anonymous,
    transaction: Transaction,
    known: Option<User>,
) -> Result<(), Error> {
    let record = move |conn: &mut DbConnection, (), mut author: Author| {
        let id = known.as_ref().map(|user| user.id);
        author.username = known.map(|user| user.username);
        author.record(
            conn,
            Action::LoginFailed,
            (ObjectType::User, id),
            &Map::new(),
        )?;
        Ok(())
    };
    transaction.run(anonymous, record).await
}

pub async fn refresh_token(
    anonymous: Anonymous,
    transaction: Transaction,
    auth: Data<Auth>,
    body: Body<RefreshToken>,
) -> Result<Json<TokenPair>, Error> {
    let RefreshToken(token) = body.read()?;
    let claims = auth.keys.read_as(TokenType::Refresh, &token)?;
    let (now, grace) = (Stamp::now(), auth.settings.refresh_grace);
    let jti = auth.keys.next_jti(&claims.jti);
    let next = auth.next(&jti, now);
    // A refusal is no failure here: what it changes has to stay.
    let rotate = move |conn: &mut DbConnection, (), author: Author| {
        let user = active_user(conn, &claims)?;
        let outcome = Session::rotate(conn, &claims.jti_hash(), &next, grace, now)?;
        if let Use::Reused(family) = &outcome {
            record_theft(conn, author, family)?;
        }
        Ok((user, outcome))
    };
    match transaction.run(anonymous, rotate).await? {
        (
            user,
            Use::Rotated {
                session,
                at,
                expires_at,
            },
        ) => {
            let pair = auth.pair(Grant {
                identity: Identity {
                    user: user.id,
                    session,
                },
                is_staff: user.is_staff,
                jti,
                at,
                expires_at,
            });
            Ok(Json(pair?))
        }
        (_, Use::Reused(_) | Use::Refused) => Err(Refusal::Blacklisted.into()),
    }
}

/// Records that a refresh token was used twice, by its user and by a thief.
fn record_theft(conn: &mut DbConnection, mut author: Author, family: &Family) -> Result<(), Error> {
    let Family { session, user } = family;
    tracing::warn!(
        user = user.id,
        session,
        address = author.address.as_deref(),
        request_id = author.request_id.as_deref(),
        "a refresh token was used again: it is stolen, or its user's client is at fault, and its session has been ended"
    );
    author.username = Some(user.username.clone());
    author.record_end(conn, Action::TokenReused, user.id, *session)?;
    Ok(())
}

pub async fn verify_token(
    _: Anonymous,
    db: Data<Reader>,
    auth: Data<Auth>,
    body: Body<AnyToken>,
) -> Result<Json<Empty>, Error> {
    let AnyToken(token) = body.read()?;
    let claims = auth.keys.read(&token)?;
    let is_live = db
        .read(move |conn| {
            active_user(conn, &claims)?;
            Ok::<_, Error>(match claims.token_type {
                TokenType::Refresh => Session::is_live(conn, &claims.jti_hash())?,
                TokenType::Access => {
                    let Identity { user, session } = claims.identity();
                    UserRights::in_session(conn, user, session)?.is_some_and(|(_, is_live)| is_live)
                }
            })
        })
        .await?;
    if is_live {
        Ok(Json(Empty {}))
    } else {
        Err(Refusal::Blacklisted.into())
    }
}

pub async fn blacklist_token(
    anonymous: Anonymous,
    transaction: Transaction,
    auth: Data<Auth>,
    body: Body<RefreshToken>,
) -> Result<Json<Empty>, Error> {
    let RefreshToken(token) = body.read()?;
    let claims = auth.keys.read_as(TokenType::Refresh, &token)?;
    let end = move |conn: &mut DbConnection, (), mut author: Author| {
        let ended = Session::end_of_token(conn, &claims.jti_hash())?;
        let Family { session, user } = ended.ok_or(Refusal::Blacklisted)?;
        author.username = Some(user.username);
        author.record_end(conn, Action::Logout, user.id, session)?;
        Ok(Json(Empty {}))
    };
    transaction.run(anonymous, end).await
}

pub const NO_ACCOUNT: Error = Error::Unauthenticated {
    detail: "No active account found with the given credentials",
    code: "no_active_account",
};

fn active_user(conn: &mut DbConnection, claims: &Claims) -> Result<UserRights, Error> {
    let user = UserRights::find(conn, claims.identity().user)?;
    user.filter(|user| user.is_active)
        .ok_or(Error::Unauthenticated {
            detail: "No active account found for the given token.",
            code: "no_active_account",
        })
}

fn origin(request: &HttpRequest) -> Origin {
    /// Characters of a client's name that are kept.
    const USER_AGENT_MAX: usize = 200;
    let user_agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|name| name.to_str().ok())
        .unwrap_or_default();
    Origin {
        address: Some(urls::client_address(request).to_string()),
        user_agent: user_agent.chars().take(USER_AGENT_MAX).collect(),
    }
}

/// What a pair of tokens is made of.
struct Grant {
    identity: Identity,
    is_staff: bool,
    /// Of the refresh token.
    jti: String,
    /// When the refresh token was first given out, and when it expires: given out again, it is the same token.
    at: Stamp,
    expires_at: Stamp,
}

impl Auth {
    /// What is to be stored of a refresh token that is given out at `now`.
    fn next(&self, jti: &str, now: Stamp) -> Next {
        let refresh = expiry(now, self.settings.refresh_token_lifetime);
        let access = expiry(now, self.settings.access_token_lifetime);
        Next {
            token: NewRefreshToken {
                jti_hash: jti_hash(jti),
                expires_at: Stamp::from_seconds(refresh),
            },
            until: Stamp::from_seconds(refresh.max(access)),
        }
    }

    fn pair(&self, grant: Grant) -> Result<TokenPair, Error> {
        let Grant {
            identity,
            is_staff,
            jti,
            at,
            expires_at,
        } = grant;
        let now = Stamp::now();
        let access = Claims {
            token_type: TokenType::Access,
            exp: expiry(now, self.settings.access_token_lifetime),
            iat: now.seconds(),
            jti: new_jti()?,
            user_id: identity.user.to_string(),
            sid: identity.session.to_string(),
            is_staff,
        };
        let refresh = Claims {
            token_type: TokenType::Refresh,
            exp: expires_at.seconds(),
            iat: at.seconds(),
            jti,
            ..access.clone()
        };
        Ok(TokenPair {
            access: self.keys.sign(&access)?,
            refresh: self.keys.sign(&refresh)?,
        })
    }
}

/// When a token of that lifetime expires, in seconds since 1970. A lifetime of less than a second still is one.
fn expiry(now: Stamp, lifetime: Duration) -> i64 {
    let seconds = i64::try_from(lifetime.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
    now.seconds().saturating_add(seconds)
}
