use diesel::QueryResult;
use serde_json::{Map, Value};

use super::{About, Form, Names, Readable, Resource, cascade, form, resource::members};
use crate::{
    auth::{self, Managing, PasswordHash, Staff, password},
    db::{DbConnection, Stamp},
    error::Error,
    files::{Column, import_only, needed, optional},
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

impl Resource for User {
    const TYPE: ObjectType = ObjectType::User;
    const ABOUT: About = About {
        many: "users",
        one: "a user",
        tag: "Accounts, for staff; and the caller's own.",
        list: "Users.",
        create: "",
        editors: " A new password ends the user's sessions.",
        delete: "Deletes a user and the user's projects. The user's developer stays, without an account. The last active staff user stays.",
    };
    const COLUMNS: &'static [Column] = &[
        optional("id"),
        needed("username"),
        optional("email"),
        import_only("password"),
        optional("password_hash"),
        optional("is_staff"),
        optional("is_active"),
        optional("date_joined"),
        optional("last_login"),
    ];
    const MATCHED_BY: Option<&'static str> = Some("username");
    const HAS_PASSWORD: bool = true;
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
        if form.is_of_file() {
            form.kept("date_joined", &mut draft.date_joined, form::Moment);
            form.nullable("last_login", &mut draft.last_login, form::Moment);
            read_hash(form, hash);
        }
        if let Some(password) = new_password(form, id.is_none() && !form.is_of_file()) {
            check_password(form, "password", &password, &draft.username, &draft.email);
            *hash = form.hash.take();
        }
        form.read_only(&["id", "date_joined", "last_login"]);
    }

    fn matching(conn: &mut DbConnection, username: &str) -> QueryResult<Option<Self>> {
        Self::named(conn, username)
    }

    fn insert(
        conn: &mut DbConnection,
        id: Option<i64>,
        (draft, hash): &Self::Draft,
    ) -> QueryResult<i64> {
        let unusable = PasswordHash::unusable();
        draft.insert(conn, id, hash.as_ref().unwrap_or(&unusable))
    }

    fn check(
        conn: &mut DbConnection,
        id: i64,
        (old, _): &Self::Draft,
        (new, _): &Self::Draft,
    ) -> Result<(), Error> {
        let administers = |user: &UserDraft| user.is_staff && user.is_active;
        if administers(old) && !administers(new) {
            must_not_be_last_staff(conn, id)?;
        }
        Ok(())
    }

    fn holds(conn: &mut DbConnection) -> QueryResult<bool> {
        Self::any_staff(conn)
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        (old, _): &Self::Draft,
        (new, hash): Self::Draft,
    ) -> QueryResult<bool> {
        let mut changed = new != *old;
        if changed {
            new.update(conn, id)?;
        }
        if let Some(hash) = hash
            && Self::password(conn, id)?.as_ref() != Some(&hash)
        {
            Self::set_password(conn, id, &hash)?;
            changed = true;
        }
        Ok(changed)
    }

    fn exported(
        conn: &mut DbConnection,
        rows: Vec<Self>,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut hashes = Self::passwords(conn, &ids)?;
        let with_hash = |row: &Self| {
            let mut object = members(row)?;
            let hash = hashes.remove(&row.id);
            let hash = hash.filter(|hash| *hash != PasswordHash::unusable());
            let hash = hash.map_or(Value::Null, |hash| hash.as_str().into());
            object.insert("password_hash".to_owned(), hash);
            Ok(object)
        };
        rows.iter().map(with_hash).collect()
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

/// The hash of a password, which a file may have in its place.
fn read_hash(form: &mut Form, hash: &mut Option<PasswordHash>) {
    if form.holds("password") && form.holds("password_hash") {
        form.refuse("password", "Give a password or a password_hash, not both.");
    }
    form.nullable("password_hash", hash, form::Hash);
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
