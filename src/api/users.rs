use actix_web::web::Data;
use diesel::QueryResult;

use super::{
    About, Answer, Body, Changed, Create, Created, Form, Names, Patch, Readable, Resource, Update,
    Write, cascade, form,
};
use crate::{
    auth::{self, Auth, Managing, PasswordHash, Staff, password},
    db::{DbConnection, Stamp},
    error::Error,
    models::{Author, Developer, ObjectType, Project, Stored, User, UserDraft, UserQuery},
    query::{Fields, Filtered},
};

impl Filtered for User {
    type Body = Self;
}

impl Readable for User {
    type Reader = Staff;

    fn visible(_: &Staff, _: &Fields) -> UserQuery {
        Self::all()
    }

    fn show(_: &mut DbConnection, rows: Vec<Self>, _: &Fields) -> QueryResult<Vec<Self>> {
        Ok(rows)
    }
}

/// POST of a user. The password is hashed before the transaction.
pub async fn create_user(
    staff: Staff,
    write: Write,
    auth: Data<Auth>,
    body: Body<Create<User>>,
) -> Result<Answer<Created<User>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.create::<User>(staff, body).await
}

/// PUT of a user. The password is hashed before the transaction.
pub async fn update_user(
    editor: Managing<User>,
    write: Write,
    auth: Data<Auth>,
    body: Body<Update<User>>,
) -> Result<Answer<Changed<User>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(editor, body).await
}

/// PATCH of a user. The password is hashed before the transaction.
pub async fn partial_update_user(
    editor: Managing<User>,
    write: Write,
    auth: Data<Auth>,
    body: Body<Patch<User>>,
) -> Result<Answer<Changed<User>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(editor, body).await
}

impl Resource for User {
    const TYPE: ObjectType = ObjectType::User;
    const ABOUT: About = About {
        many: "users",
        one: "a user",
        list: "Users.",
        create: "",
        editors: "",
        delete: "Deletes a user and the user's projects. The user's developer stays, without an account.",
    };
    type Creator = Staff;
    type Editor = Managing<Self>;
    type Remover = Managing<Self>;
    /// With the hash of a new password.
    type Draft = (UserDraft, Option<PasswordHash>);
    type Known = Names<Self>;

    fn begin(conn: &mut DbConnection) -> QueryResult<()> {
        Self::alone(conn)
    }

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
