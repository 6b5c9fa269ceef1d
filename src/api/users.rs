use actix_web::web::Data;
use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Body, Changed, Create, Created, Done, Form, Id, Names, Patch, Resource, Update, Write,
    cascade, form,
};
use crate::{
    auth::{self, Auth, PasswordHash, Staff, password},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Author, Developer, ObjectType, Project, Stored, User, UserDraft},
    query::{Detail, Filter, Filtered, List, NoParams, Page, Shape, Shown},
};

/// A user as the API shows it. A password can be set, and is never shown.
///
/// ```json
/// {
///   "id": 2, "username": "ada", "email": "ada@example.org", "is_staff": false, "is_active": true,
///   "date_joined": "2026-11-20T08:15:30.123456Z", "last_login": null
/// }
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    pub id: i64,
    pub username: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Stamp,
    #[schema(required)]
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

/// Users.
///
/// # Errors
/// 400 for an unknown or invalid parameter, 404 for an invalid cursor.
#[utoipa::path(get, path = "/api/users/")]
pub async fn list_users(
    _: Staff,
    db: Data<Db>,
    list: List<User>,
) -> Result<Page<Shown<UserBody>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, User::all())).await?;
    Ok(frame.page(slice))
}

/// One user.
///
/// # Errors
/// 400 for an unknown field, 404 when there is none.
#[utoipa::path(get, path = "/api/users/{id}/")]
pub async fn get_user(
    _: Staff,
    db: Data<Db>,
    id: Id<User>,
    detail: Detail<User>,
) -> Result<Shown<UserBody>, Error> {
    let user = db
        .read(move |conn| id.found(User::find(conn, id.get())?))
        .await?;
    Ok(detail.fields.show(user.into()))
}

/// Creates a user.
///
/// # Errors
/// 400 for invalid fields.
#[utoipa::path(post, path = "/api/users/")]
pub async fn create_user(
    Staff(by): Staff,
    write: Write,
    auth: Data<Auth>,
    body: Body<Create<User>>,
) -> Result<Answer<Created<User>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.create::<User>(by, body).await
}

/// Replaces a user. A new password ends the user's sessions.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(put, path = "/api/users/{id}/")]
pub async fn update_user(
    Staff(by): Staff,
    id: Id<User>,
    write: Write,
    auth: Data<Auth>,
    body: Body<Update<User>>,
) -> Result<Answer<Changed<User>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(by, body, move |conn| id.held(conn)).await
}

/// Changes some fields of a user. A new password ends the user's sessions.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(patch, path = "/api/users/{id}/")]
pub async fn partial_update_user(
    Staff(by): Staff,
    id: Id<User>,
    write: Write,
    auth: Data<Auth>,
    body: Body<Patch<User>>,
) -> Result<Answer<Changed<User>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(by, body, move |conn| id.held(conn)).await
}

/// Deletes a user and the user's projects. The user's developer stays, without an account.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for the last active staff user.
#[utoipa::path(delete, path = "/api/users/{id}/")]
pub async fn delete_user(
    _: Staff,
    _: NoParams,
    id: Id<User>,
    write: Write,
) -> Result<Answer<Done>, Error> {
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
            form::text_by(Self::USERNAME_MAX, Self::check_username),
        );
        form.optional(
            "email",
            &mut draft.email,
            String::new(),
            form::optional_text_by(Self::EMAIL_MAX, Self::check_email),
        );
        form.optional("is_staff", &mut draft.is_staff, false, form::Boolean);
        form.optional("is_active", &mut draft.is_active, true, form::Boolean);
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

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<(i64, UserBody)>> {
        let users = Self::of_ids(conn, ids)?;
        Ok(users
            .into_iter()
            .map(|user| (user.id, user.into()))
            .collect())
    }
}

/// The password of a form, which a new user needs.
fn new_password(form: &mut Form, needed: bool) -> Option<String> {
    let mut password = String::new();
    if needed {
        form.required("password", &mut password, form::NewPassword);
    } else {
        form.kept("password", &mut password, form::NewPassword);
    }
    (!password.is_empty()).then_some(password)
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
