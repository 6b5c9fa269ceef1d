//! What users see and change of themselves.

use actix_web::{HttpRequest, web::Data};
use diesel::QueryResult;
use serde_json::{Map, Value, json};

use super::{
    Answer, Body, Changed, Done, Form, Id, Input, Readable, Transaction, Write, form,
    transaction::replay, users::check_password,
};
use crate::{
    auth::{self, Auth, Oneself, PasswordHash},
    db::{DbConnection, Reader, Stamp},
    error::{Error, FieldErrors},
    limits::count_login,
    models::{
        Action, Author, ObjectType, Retry, Session, SessionQuery, Stored, User, UserDraft,
        hidden_change,
    },
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
    db: Data<Reader>,
    detail: Detail<User>,
) -> Result<Shown<User>, Error> {
    let body = db.read(move |conn| stored(conn, user.id)).await?;
    detail.fields.show(body)
}

pub async fn update_me(
    oneself: Oneself,
    write: Write,
    body: Body<MePatch>,
) -> Result<Answer<Changed<User>>, Error> {
    let work = move |conn: &mut DbConnection, _: &auth::User, me: User| {
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
    write.change(oneself, work).await
}

pub async fn set_my_password(
    oneself: Oneself,
    request: HttpRequest,
    db: Data<Reader>,
    transaction: Transaction,
    auth: Data<Auth>,
    body: Body<NewPassword>,
) -> Result<Answer<Done>, Error> {
    let (id, retry) = (oneself.user().id, body.retry());
    if let Some(retry) = retry.clone()
        && let Some(answer) = answered(&oneself, &transaction, retry).await?
    {
        return Ok(answer);
    }
    let form = body.form()?;
    let change = PasswordChange {
        user: oneself.user(),
        request: &request,
        auth: &auth,
    };
    let (old, new) = match change.check(&db, form).await? {
        Checked::Fits { old, new } => (old, new),
        Checked::Wrong(errors) => return fail(oneself, transaction, errors).await,
    };
    let new = auth.hasher.hash(new).await?;
    let work = move |conn: &mut DbConnection, _, author: Author| {
        // Somebody else may have set it while this one was hashed.
        if User::password(conn, id)?.as_ref() != Some(&old) {
            return Err(Error::field("current_password", WRONG_PASSWORD));
        }
        User::set_password(conn, id, &new)?;
        let changes = hidden_change("password");
        author.record(conn, Action::Update, (ObjectType::User, Some(id)), &changes)?;
        Ok(Answer::done())
    };
    transaction.once(oneself, retry, work).await
}

/// The answer to the same request before. Sent again, it comes with a password that is the current one no more.
async fn answered(
    oneself: &Oneself,
    transaction: &Transaction,
    retry: Retry,
) -> Result<Option<Answer<Done>>, Error> {
    let look = move |conn: &mut DbConnection, _, _| {
        let kept = retry.kept(conn, Stamp::now())?;
        kept.map(|kept| replay(&retry, kept)).transpose()
    };
    transaction.clone().run(oneself.clone(), look).await
}

/// Records that the current password was wrong, which is a sign-in that failed.
async fn fail(
    oneself: Oneself,
    transaction: Transaction,
    errors: FieldErrors,
) -> Result<Answer<Done>, Error> {
    let record = |conn: &mut DbConnection, by: auth::User, author: Author| {
        let user = (ObjectType::User, Some(by.id));
        author.record(conn, Action::LoginFailed, user, &Map::new())?;
        Ok(())
    };
    transaction.run(oneself, record).await?;
    Err(Error::Fields(errors))
}

/// Somebody who wants another password.
struct PasswordChange<'a> {
    user: &'a auth::User,
    request: &'a HttpRequest,
    auth: &'a Auth,
}

/// What a form says of the two passwords.
enum Checked {
    Fits {
        old: PasswordHash,
        new: String,
    },
    /// The current one is not the current one.
    Wrong(FieldErrors),
}

impl PasswordChange<'_> {
    /// Holds both passwords to what is asked of them. A guess at the current one counts as a guess at the sign-in does.
    async fn check(self, db: &Reader, mut form: Form) -> Result<Checked, Error> {
        let by = self.user.clone();
        let (user, old) = db
            .read(move |conn| {
                let id = by.again(conn)?.id;
                let known = User::find(conn, id)?.zip(User::password(conn, id)?);
                known.ok_or(Error::NoSuchObject(User::NAME))
            })
            .await?;
        let NewPassword { current, new } = NewPassword::read(&mut form);
        if !new.is_empty() {
            check_password(&mut form, "new_password", &new, &user.username, &user.email);
        }
        if !current.is_empty() {
            count_login(self.request, &user.username).await?;
            if !self.auth.hasher.opens(old.clone(), current).await? {
                form.refuse("current_password", WRONG_PASSWORD);
                return Ok(Checked::Wrong(form.finish()));
            }
        }
        form.finish().into_result()?;
        Ok(Checked::Fits { old, new })
    }
}

const WRONG_PASSWORD: &str = "Your old password was entered incorrectly. Please enter it again.";

pub async fn end_my_session(
    oneself: Oneself,
    _: NoParams,
    transaction: Transaction,
    id: Id<Session>,
) -> Result<Answer<Done>, Error> {
    let end = move |conn: &mut DbConnection, by: auth::User, author: Author| {
        let ended = Session::end_of_user(conn, id.get(), by.id)?;
        id.found(ended.then_some(()))?;
        author.record_end(conn, Action::Logout, by.id, id.get())?;
        Ok(Answer::done())
    };
    transaction.run(oneself, end).await
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<User, Error> {
    let user = User::find(conn, id)?;
    user.ok_or(Error::NoSuchObject(User::NAME))
}
