use actix_web::web::{Data, Json};
use diesel::QueryResult;
use serde::Serialize;

use super::{Answer, Body, Form, Id, Names, Resource, Write, cascade, form};
use crate::{
    auth::{self, Auth, PasswordHash, Staff, password},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Author, Developer, ObjectType, Project, Stored, User, UserDraft},
    query::{Detail, Filter, Filtered, List, NoParams, Page, Shape, Shown},
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
) -> Result<Page<Shown<UserBody>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, User::all())).await?;
    Ok(frame.page(slice))
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
    Staff(by): Staff,
    write: Write,
    auth: Data<Auth>,
    body: Body,
) -> Result<Answer, Error> {
    let body = body.hash_password(&auth).await?;
    write.create::<User>(by, body).await
}

/// `PUT` and `PATCH /api/users/{id}/`. A new password ends the user's sessions.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for fields that do not fit.
pub async fn update_user(
    Staff(by): Staff,
    id: Id<User>,
    write: Write,
    auth: Data<Auth>,
    body: Body,
) -> Result<Answer, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(by, body, move |conn| id.held(conn)).await
}

/// `DELETE /api/users/{id}/`: the projects go with the user; the developer stays, without user.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for the last active one of the staff.
pub async fn delete_user(
    _: Staff,
    _: NoParams,
    id: Id<User>,
    write: Write,
) -> Result<Answer, Error> {
    write.delete(move |conn| id.held(conn)).await
}

impl Resource for User {
    const TYPE: ObjectType = ObjectType::User;
    type Body = UserBody;
    /// With the hash of a new password.
    type Draft = (UserDraft, Option<PasswordHash>);
    type Known = Names<Self>;

    fn blank(_: &auth::User, now: Stamp) -> Self::Draft {
        (UserDraft::new(now), None)
    }

    fn draft(self) -> Self::Draft {
        (self.into(), None)
    }

    fn known(conn: &mut DbConnection, forms: &[Form]) -> QueryResult<Names<Self>> {
        Names::load(conn, forms)
    }

    fn read(
        form: &mut Form,
        (draft, hash): &mut Self::Draft,
        names: &mut Names<Self>,
        _: &auth::User,
        id: Option<i64>,
    ) {
        form.required(
            "username",
            &mut draft.username,
            form::text_by(Self::check_username),
        );
        form.optional(
            "email",
            &mut draft.email,
            String::new(),
            form::text_by(Self::check_email),
        );
        form.optional("is_staff", &mut draft.is_staff, false, form::boolean);
        form.optional("is_active", &mut draft.is_active, true, form::boolean);
        names.take(form, &draft.username, id, Self::TYPE);
        if let Some(password) = new_password(form, id.is_none()) {
            check_password(form, "password", &password, &draft.username, &draft.email);
            *hash = form.hash.take();
        }
        form.read_only(&["id", "date_joined", "last_login"]);
    }

    fn insert(conn: &mut DbConnection, (draft, hash): &Self::Draft) -> QueryResult<i64> {
        let unusable = PasswordHash::unusable();
        draft.insert(conn, None, hash.as_ref().unwrap_or(&unusable))
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        (old, _): &Self::Draft,
        (new, hash): Self::Draft,
    ) -> Result<(), Error> {
        if !(new.is_staff && new.is_active) {
            must_not_be_last_staff(conn, id)?;
        }
        if new != *old {
            new.update(conn, id)?;
        }
        if let Some(hash) = hash {
            Self::set_password(conn, id, &hash)?;
        }
        Ok(())
    }

    fn hidden((_, hash): &Self::Draft) -> &'static [&'static str] {
        if hash.is_some() { &["password"] } else { &[] }
    }

    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error> {
        must_not_be_last_staff(conn, id)?;
        let projects = Project::ids_of_owner(conn, id)?;
        cascade::deleted::<Project>(conn, author, &projects)?;
        let developer = Developer::id_of_user(conn, id)?;
        cascade::orphaned::<Developer>(conn, author, developer.as_slice())?;
        Ok(Self::remove(conn, id)?)
    }

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<UserBody>> {
        let users = Self::of_ids(conn, ids)?;
        Ok(users.into_iter().map(UserBody::from).collect())
    }
}

/// The password of a form, which a new user needs.
fn new_password(form: &mut Form, needed: bool) -> Option<String> {
    let mut password = None;
    let some = |value: &serde_json::Value| form::password(value).map(Some);
    if needed {
        form.required("password", &mut password, some);
    } else {
        form.optional("password", &mut password, None, some);
    }
    password
}

/// Holds a new password to the rules.
pub fn check_password(form: &mut Form, name: &str, password: &str, username: &str, email: &str) {
    let broken = password::check(password, username, email).err();
    for message in broken.into_iter().flatten() {
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
