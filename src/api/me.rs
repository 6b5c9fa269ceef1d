//! What users see and change of themselves.

use actix_web::{HttpRequest, web::Data};
use diesel::QueryResult;
use serde_json::{Value, json};

use super::{
    Answer, Body, Changed, Done, Form, Id, Input, Readable, Write, form,
    users::check_password,
    write::{author, once, replay},
};
use crate::{
    auth::{self, Auth, PasswordHash},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Action, ObjectType, Session, SessionQuery, Stored, User, UserDraft, hidden_change},
    query::{Detail, Fields, Filtered, Listed, NoParams, Shown},
};

impl Filtered for Session {
    type Body = Self;
}

/// Everybody sees their own.
impl Readable for Session {
    type Reader = auth::User;

    fn visible(user: &auth::User, _: &Fields) -> SessionQuery {
        Self::of_user(user.id, Stamp::now())
    }

    fn show(_: &mut DbConnection, rows: Vec<Self>, _: &Fields) -> QueryResult<Vec<Self>> {
        Ok(rows)
    }
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

pub async fn get_me(
    user: auth::User,
    db: Data<Db>,
    detail: Detail<User>,
) -> Result<Shown<User>, Error> {
    let body = db.read(move |conn| stored(conn, user.id)).await?;
    Ok(detail.fields.show(body))
}

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

fn stored(conn: &mut DbConnection, id: i64) -> Result<User, Error> {
    let user = User::find(conn, id)?;
    user.ok_or(Error::NoSuchObject(User::NAME))
}
