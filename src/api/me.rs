//! What users see and change of themselves.

use actix_web::{HttpRequest, web::Data};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    Answer, Body, Changed, Done, Form, Id, Input, Write, form,
    users::{UserBody, check_password},
    write::{author, once, replay},
};
use crate::{
    auth::{self, Auth, PasswordHash},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Action, ObjectType, Session, Stored, User, UserDraft, hidden_change},
    query::{Detail, Filter, Filtered, List, Listed, NoParams, Page, Shape, Shown},
};

/// A session as its user sees it: where and when a sign-in began it, and when its tokens were last renewed.
///
/// ```json
/// {
///   "id": 5, "address": "192.0.2.7", "user_agent": "curl/8.14.1", "created_at": "2026-11-20T08:15:30.123456Z",
///   "last_used_at": "2026-11-20T08:20:30.123456Z", "expires_at": "2026-11-21T08:20:30.123456Z"
/// }
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    pub id: i64,
    #[schema(required)]
    pub address: Option<String>,
    pub user_agent: String,
    pub created_at: Stamp,
    pub last_used_at: Stamp,
    pub expires_at: Stamp,
}

impl From<Session> for SessionBody {
    fn from(session: Session) -> Self {
        let Session {
            id,
            address,
            user_agent,
            created_at,
            last_used_at,
            expires_at,
        } = session;
        Self {
            id,
            address,
            user_agent,
            created_at,
            last_used_at,
            expires_at,
        }
    }
}

impl Filtered for Session {
    const FILTERS: &'static [Filter] = &[];
    const SHAPE: Shape = &[
        ("id", &[]),
        ("address", &[]),
        ("user_agent", &[]),
        ("created_at", &[]),
        ("last_used_at", &[]),
        ("expires_at", &[]),
    ];
}

/// What users change of themselves.
pub struct MePatch {
    email: Option<String>,
}

impl Input for MePatch {
    const WHOLE: bool = false;

    fn name() -> String {
        "MePatch".to_owned()
    }

    fn example() -> Option<Value> {
        Some(json!({"email": "ada@example.org"}))
    }

    fn read(form: &mut Form) -> Self {
        let mut email = String::new();
        let is_named = form.has("email");
        let rule = form::optional_text_by(User::EMAIL_MAX, User::check_email);
        form.kept("email", &mut email, rule);
        form.read_only(&[
            "id",
            "username",
            "is_staff",
            "is_active",
            "date_joined",
            "last_login",
        ]);
        Self {
            email: is_named.then_some(email),
        }
    }
}

/// A password in place of another.
pub struct NewPassword {
    current: String,
    new: String,
}

impl Input for NewPassword {
    fn name() -> String {
        "NewPassword".to_owned()
    }

    fn example() -> Option<Value> {
        Some(
            json!({"current_password": form::PASSWORD_EXAMPLE, "new_password": "difference engine"}),
        )
    }

    fn read(form: &mut Form) -> Self {
        let (mut current, mut new) = (String::new(), String::new());
        form.required("current_password", &mut current, form::Password);
        form.required("new_password", &mut new, form::NewPassword);
        Self { current, new }
    }
}

/// The caller.
///
/// # Errors
/// 400 for a field that it does not have.
#[utoipa::path(get, path = "/api/users/me/")]
pub async fn get_me(
    user: auth::User,
    db: Data<Db>,
    detail: Detail<User>,
) -> Result<Shown<UserBody>, Error> {
    let body = db.read(move |conn| stored(conn, user.id)).await?;
    Ok(detail.fields.show(body))
}

/// Changes the caller's email; the rest is the staff's to change.
///
/// # Errors
/// 412 when it has changed since, 400 for fields that do not fit.
#[utoipa::path(patch, path = "/api/users/me/")]
pub async fn update_me(
    user: auth::User,
    write: Write,
    body: Body<MePatch>,
) -> Result<Answer<Changed<User>>, Error> {
    let load = move |conn: &mut DbConnection| {
        let me = User::held(conn, user.id)?;
        me.ok_or(Error::NoSuchObject(User::NAME))
    };
    let work = move |conn: &mut DbConnection, me: User| {
        let (id, old) = (me.id, UserDraft::from(me));
        let mut draft = old.clone();
        if let Some(email) = body.read()?.email {
            draft.email = email;
        }
        if draft != old {
            draft.update(conn, id)?;
        }
        Ok(&[][..])
    };
    write.change(load, work).await
}

/// A new password for the caller, which ends the caller's sessions.
///
/// # Errors
/// 400 for a current password that is wrong and a new one that breaks the rules.
#[utoipa::path(post, path = "/api/users/me/password/")]
pub async fn set_my_password(
    user: auth::User,
    request: HttpRequest,
    db: Data<Db>,
    auth: Data<Auth>,
    body: Body<NewPassword>,
) -> Result<Answer<Done>, Error> {
    let (id, retry, author) = (user.id, body.retry(), author(&request)?);
    // Sent again, it comes with a password that is the current one no more.
    if let Some(retry) = retry.clone() {
        let key = retry.clone();
        let look = move |conn: &mut DbConnection| key.kept(conn, Stamp::now()).map_err(Error::from);
        if let Some(kept) = db.glance(look).await? {
            return replay(&retry, kept);
        }
    }
    let (old, new) = passwords(&db, &auth, id, body.form()?).await?;
    let new = auth.hasher.hash(new).await?;
    once(&db, retry, move |conn| {
        User::held(conn, id)?;
        // Somebody else may have set it while this one was hashed.
        if User::password(conn, id)?.as_ref() != Some(&old) {
            return Err(Error::field("current_password", WRONG_PASSWORD));
        }
        User::set_password(conn, id, &new)?;
        let changes = hidden_change("password");
        author.record(conn, Action::Update, (ObjectType::User, Some(id)), &changes)?;
        Ok(Answer::done())
    })
    .await
}

/// The hash of the current password and the new one, when they fit.
async fn passwords(
    db: &Db,
    auth: &Auth,
    id: i64,
    mut form: Form,
) -> Result<(PasswordHash, String), Error> {
    let known = db
        .read(move |conn| Ok::<_, Error>((User::find(conn, id)?, User::password(conn, id)?)))
        .await?;
    let (Some(user), Some(hash)) = known else {
        return Err(Error::NoSuchObject(User::NAME));
    };
    let NewPassword { current, new } = NewPassword::read(&mut form);
    if !new.is_empty() {
        check_password(&mut form, "new_password", &new, &user.username, &user.email);
    }
    if !current.is_empty() && !auth.hasher.matches(Some(hash.clone()), current).await? {
        form.refuse("current_password", WRONG_PASSWORD);
    }
    form.finish().into_result()?;
    Ok((hash, new))
}

const WRONG_PASSWORD: &str = "Your old password was entered incorrectly. Please enter it again.";

/// Where the caller is signed in, the latest sign-in first.
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
#[utoipa::path(get, path = "/api/users/me/sessions/")]
pub async fn list_my_sessions(
    user: auth::User,
    db: Data<Db>,
    list: List<Session>,
) -> Result<Page<Shown<SessionBody>>, Error> {
    let (slice, frame) = db
        .read(move |conn| list.load(conn, Session::of_user(user.id, Stamp::now())))
        .await?;
    Ok(frame.page(slice))
}

/// Ends one sign-in of the caller: its refresh token works no more.
///
/// # Errors
/// 404 when the caller has none of this id.
#[utoipa::path(delete, path = "/api/users/me/sessions/{id}/")]
pub async fn end_my_session(
    user: auth::User,
    _: NoParams,
    db: Data<Db>,
    id: Id<Session>,
) -> Result<Answer<Done>, Error> {
    db.write(move |conn| {
        let ended = Session::end_of_user(conn, id.get(), user.id)?;
        id.found(ended.then(Answer::done))
    })
    .await
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<UserBody, Error> {
    let user = User::find(conn, id)?;
    Ok(user.ok_or(Error::NoSuchObject(User::NAME))?.into())
}
