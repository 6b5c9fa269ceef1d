use actix_web::web::{Data, Json};
use serde::Serialize;

use super::{Body, Created, Form, Id, NoContent, form};
use crate::{
    auth::{Auth, PasswordHash, Staff, password},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{User, UserDraft},
    query::{Detail, Filter, Filtered, List, Listed, NoParams, Page, Shape, Shown},
    rules,
};

/// A user as the API shows it. The password goes in alone.
#[derive(Debug, Serialize)]
pub struct UserBody {
    pub id: i64,
    pub username: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Stamp,
    pub last_login: Option<Stamp>,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        let User {
            id,
            username,
            email,
            is_staff,
            is_active,
            date_joined,
            last_login,
        } = user;
        Self {
            id,
            username,
            email,
            is_staff,
            is_active,
            date_joined,
            last_login,
        }
    }
}

impl Filtered for User {
    const FILTERS: &'static [Filter] = &[];
    const SHAPE: Shape = &[
        ("id", &[]),
        ("username", &[]),
        ("email", &[]),
        ("is_staff", &[]),
        ("is_active", &[]),
        ("date_joined", &[]),
        ("last_login", &[]),
    ];
}

/// `GET /api/users/`
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
pub async fn list_users(
    _: Staff,
    db: Data<Db>,
    list: List<User>,
) -> Result<Json<Page<Shown<UserBody>>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, User::all())).await?;
    Ok(Json(frame.page(slice)))
}

/// `GET /api/users/{id}/`
///
/// # Errors
/// 400 for a field that it does not have, 404 when there is none.
pub async fn get_user(
    _: Staff,
    db: Data<Db>,
    id: Id<User>,
    detail: Detail<User>,
) -> Result<Json<Shown<UserBody>>, Error> {
    let user = db
        .read(move |conn| id.found(User::find(conn, id.get())?))
        .await?;
    Ok(Json(detail.fields.show(user.into())))
}

/// `POST /api/users/`
///
/// # Errors
/// 400 for fields that do not fit.
pub async fn create_user(
    _: Staff,
    db: Data<Db>,
    auth: Data<Auth>,
    body: Body,
) -> Result<Created<UserBody>, Error> {
    let hash = hashed(&auth, &body).await?;
    db.write(move |conn| {
        let mut draft = UserDraft::new(Stamp::now());
        read(conn, body.form()?, &mut draft, None)?;
        let id = draft.insert(conn, None, &hash.unwrap_or_else(PasswordHash::unusable))?;
        Ok(Created {
            id,
            body: stored(conn, id)?,
        })
    })
    .await
}

/// `PUT` and `PATCH /api/users/{id}/`. A new password ends the user's sessions.
///
/// # Errors
/// 404 when there is none, 400 for fields that do not fit.
pub async fn update_user(
    _: Staff,
    db: Data<Db>,
    auth: Data<Auth>,
    id: Id<User>,
    body: Body,
) -> Result<Json<UserBody>, Error> {
    let hash = hashed(&auth, &body).await?;
    db.write(move |conn| {
        let old = UserDraft::from(id.found(User::held(conn, id.get())?)?);
        let mut draft = old.clone();
        read(conn, body.form()?, &mut draft, Some(id.get()))?;
        if !(draft.is_staff && draft.is_active) {
            must_not_be_last_staff(conn, id.get())?;
        }
        if draft != old {
            draft.update(conn, id.get())?;
        }
        if let Some(hash) = hash {
            User::set_password(conn, id.get(), &hash)?;
        }
        stored(conn, id.get()).map(Json)
    })
    .await
}

/// `DELETE /api/users/{id}/`: the projects go with the user; the developer stays, without user.
///
/// # Errors
/// 404 when there is none, 400 for the last active one of the staff.
pub async fn delete_user(
    _: Staff,
    _: NoParams,
    db: Data<Db>,
    id: Id<User>,
) -> Result<NoContent, Error> {
    db.write(move |conn| {
        id.found(User::held(conn, id.get())?)?;
        must_not_be_last_staff(conn, id.get())?;
        User::delete(conn, id.get())?;
        Ok::<_, Error>(NoContent)
    })
    .await
}

/// The hash of the body's password, if it has one: made before the transaction, which must not wait for it.
async fn hashed(auth: &Auth, body: &Body) -> Result<Option<PasswordHash>, Error> {
    match body.text("password") {
        Some(password) => auth.hasher.hash(password.to_owned()).await.map(Some),
        None => Ok(None),
    }
}

/// Reads a user into the draft; `id` is that of the user to be changed.
fn read(
    conn: &mut DbConnection,
    mut form: Form,
    draft: &mut UserDraft,
    id: Option<i64>,
) -> Result<(), Error> {
    let mut password = None;
    form.required(
        "username",
        &mut draft.username,
        form::text_by(User::check_username),
    );
    form.optional(
        "email",
        &mut draft.email,
        String::new(),
        form::text_by(User::check_email),
    );
    form.optional("is_staff", &mut draft.is_staff, false, form::boolean);
    form.optional("is_active", &mut draft.is_active, true, form::boolean);
    let some_password = |value: &serde_json::Value| form::password(value).map(Some);
    if id.is_some() {
        form.optional("password", &mut password, None, some_password);
    } else {
        form.required("password", &mut password, some_password);
    }
    let named = User::named(conn, &draft.username)?;
    if named.is_some_and(|named| Some(named.id) != id) {
        form.refuse("username", &rules::taken("user", "username"));
    }
    if let Some(password) = password {
        check_password(
            &mut form,
            "password",
            &password,
            &draft.username,
            &draft.email,
        );
    }
    form.read_only(&["id", "date_joined", "last_login"]);
    form.finish()
}

/// Holds a new password to the rules.
pub fn check_password(form: &mut Form, name: &str, password: &str, username: &str, email: &str) {
    for message in password::check(password, username, email)
        .err()
        .into_iter()
        .flatten()
    {
        form.refuse(name, &message);
    }
}

fn must_not_be_last_staff(conn: &mut DbConnection, id: i64) -> Result<(), Error> {
    if User::is_last_staff(conn, id)? {
        Err(Error::field("non_field_errors", User::LAST_STAFF))
    } else {
        Ok(())
    }
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<UserBody, Error> {
    let user = User::find(conn, id)?;
    Ok(user.ok_or(Error::NoSuchObject(User::NAME))?.into())
}
