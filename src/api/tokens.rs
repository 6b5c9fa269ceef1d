//! Signing in, staying so, and ending it, as djangorestframework-simplejwt.

use actix_web::{
    HttpRequest,
    http::header,
    web::{Data, Json},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Body, Form, Input, form, write::author};
use crate::{
    auth::{Anonymous, Auth, Claims, PasswordHash, Refusal, TokenType},
    db::{Db, Stamp},
    error::Error,
    limits::count_login,
    models::{
        Action, Author, NewRefreshToken, ObjectType, Origin, Session, SignIn, Use, User, UserRights,
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
    _: Anonymous,
    request: HttpRequest,
    db: Data<Db>,
    auth: Data<Auth>,
    body: Body<Credentials>,
) -> Result<Json<TokenPair>, Error> {
    let Credentials { username, password } = body.read()?;
    count_login(&request, &username).await?;
    let mut author = author(&request)?;
    let found = check(&db, &auth, &username, password, origin(&request)).await?;
    let (user, sign_in) = match found {
        Ok(found) => found,
        Err(known) => return refuse(&db, author, known).await,
    };
    author.username = Some(user.username);
    let now = Stamp::now();
    let (pair, token) = auth.pair(user.id, user.is_staff, now)?;
    let begun = db
        .write(move |conn| {
            let begun = sign_in.begin(conn, &token, now)?;
            if begun {
                let user = (ObjectType::User, Some(user.id));
                author.record(conn, Action::Login, user, &Map::new())?;
            }
            Ok::<_, Error>(begun)
        })
        .await?;
    begun.then_some(Json(pair)).ok_or(NO_ACCOUNT)
}

/// Records that a sign-in failed. A name that is nobody's is not told: it may be a password in the wrong field.
async fn refuse(
    db: &Db,
    mut author: Author,
    known: Option<User>,
) -> Result<Json<TokenPair>, Error> {
    let id = known.as_ref().map(|user| user.id);
    author.username = known.map(|user| user.username);
    db.write(move |conn| {
        let user = (ObjectType::User, id);
        author
            .record(conn, Action::LoginFailed, user, &Map::new())
            .map_err(Error::from)
    })
    .await?;
    Err(NO_ACCOUNT)
}

pub async fn refresh_token(
    _: Anonymous,
    db: Data<Db>,
    auth: Data<Auth>,
    body: Body<RefreshToken>,
) -> Result<Json<TokenPair>, Error> {
    let RefreshToken(token) = body.read()?;
    let claims = auth.keys.read_as(TokenType::Refresh, &token)?;
    let user = active_user(&db, &claims).await?;
    let (now, grace) = (Stamp::now(), auth.settings.refresh_grace);
    let (pair, next) = auth.pair(user.id, user.is_staff, now)?;
    // A refusal is no failure here: what it changes has to stay.
    let outcome = db
        .write(move |conn| {
            Session::rotate(conn, &claims.jti_hash(), &next, grace, now).map_err(Error::from)
        })
        .await?;
    match outcome {
        Use::Rotated => Ok(Json(pair)),
        Use::Refused => Err(Refusal::Blacklisted.into()),
    }
}

pub async fn verify_token(
    _: Anonymous,
    db: Data<Db>,
    auth: Data<Auth>,
    body: Body<AnyToken>,
) -> Result<Json<Empty>, Error> {
    let AnyToken(token) = body.read()?;
    let claims = auth.keys.read(&token)?;
    active_user(&db, &claims).await?;
    if claims.token_type == TokenType::Refresh {
        let live = db
            .glance(move |conn| Session::is_live(conn, &claims.jti_hash()).map_err(Error::from))
            .await?;
        if !live {
            return Err(Refusal::Blacklisted.into());
        }
    }
    Ok(Json(Empty {}))
}

pub async fn blacklist_token(
    _: Anonymous,
    db: Data<Db>,
    auth: Data<Auth>,
    body: Body<RefreshToken>,
) -> Result<Json<Empty>, Error> {
    let RefreshToken(token) = body.read()?;
    let claims = auth.keys.read_as(TokenType::Refresh, &token)?;
    let ended = db
        .write(move |conn| Session::end_of_token(conn, &claims.jti_hash()).map_err(Error::from))
        .await?;
    if ended {
        Ok(Json(Empty {}))
    } else {
        Err(Refusal::Blacklisted.into())
    }
}

/// A name and password that do not sign in.
pub const NO_ACCOUNT: Error = Error::Unauthenticated {
    detail: "No active account found with the given credentials",
    code: "no_active_account",
};

/// The user of that name, if the password is theirs; else the user alone, if there is one. Whatever is wrong takes the same time.
async fn check(
    db: &Db,
    auth: &Auth,
    username: &str,
    password: String,
    origin: Origin,
) -> Result<Result<(User, SignIn), Option<User>>, Error> {
    let name = username.to_owned();
    let known = db
        .read(move |conn| {
            let Some(user) = User::named(conn, &name)? else {
                return Ok(None);
            };
            let hash = User::password(conn, user.id)?;
            Ok::<_, Error>(hash.map(|hash| (user, hash)))
        })
        .await?;
    let hash = known.as_ref().map(|(_, hash)| hash.clone());
    let matches = auth.hasher.matches(hash, password.clone()).await?;
    match known {
        Some((user, checked)) if matches && user.is_active => {
            let renewed = renewed(auth, &checked, password).await?;
            let sign_in = SignIn {
                user_id: user.id,
                checked,
                renewed,
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

async fn active_user(db: &Db, claims: &Claims) -> Result<UserRights, Error> {
    let id = claims.user();
    let user = db
        .glance(move |conn| UserRights::find(conn, id).map_err(Error::from))
        .await?;
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

impl Auth {
    /// A new pair, and what is to be stored of it.
    fn pair(
        &self,
        user_id: i64,
        is_staff: bool,
        now: Stamp,
    ) -> Result<(TokenPair, NewRefreshToken), Error> {
        let iat = now.seconds();
        let claims = |token_type, lifetime: std::time::Duration| {
            // A lifetime of less than a second still is one.
            let seconds = i64::try_from(lifetime.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX);
            Claims::new(
                token_type,
                user_id,
                is_staff,
                (iat, iat.saturating_add(seconds)),
            )
        };
        let access = claims(TokenType::Access, self.settings.access_token_lifetime)?;
        let refresh = claims(TokenType::Refresh, self.settings.refresh_token_lifetime)?;
        let pair = TokenPair {
            access: self.keys.sign(&access)?,
            refresh: self.keys.sign(&refresh)?,
        };
        let token = NewRefreshToken {
            jti_hash: refresh.jti_hash(),
            expires_at: Stamp::from_seconds(refresh.exp),
        };
        Ok((pair, token))
    }
}
