use std::{collections::HashMap, sync::Arc};

use diesel::{dsl, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;

use super::{insert::insert_row, one_of::OneOf, stored::stored};
use crate::{
    auth::PasswordHash,
    db::{
        Backend, DbConnection, Stamp,
        schema::{sessions, users},
    },
    email,
    query::{Condition, Field, Listed},
    rules,
    text::fold,
};

/// Somebody who can sign in. The password goes in alone.
///
/// ```json
/// {
///   "id": 2, "username": "ada", "email": "ada@example.org", "is_staff": false, "is_active": true,
///   "date_joined": "2026-11-20T08:15:30.123456Z", "last_login": null
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i64,
    pub username: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Stamp,
    #[schema(required)]
    pub last_login: Option<Stamp>,
}

/// What decides about requests.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserRights {
    pub id: i64,
    pub username: String,
    pub is_staff: bool,
    pub is_active: bool,
}

/// What an object shows of its user.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserBrief {
    pub id: i64,
    pub username: String,
}

/// A query for users that goes on being one, whatever is added to it.
pub type UserQuery =
    dsl::IntoBoxed<'static, dsl::Select<users::table, dsl::AsSelect<User, Backend>>, Backend>;

/// How long a transaction keeps others from changing the rights that it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Until its end, together with others that rest on the same rights.
    Shared,
    /// Until its end, alone: the transaction goes on to change the user or the user's sessions. Two that first shared them
    /// would wait for one another.
    Alone,
}

impl UserRights {
    /// # Errors
    /// Those of the statement.
    pub fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
        users::table
            .find(id)
            .select(Self::as_select())
            .first(conn)
            .optional()
    }

    /// The user, and whether the session is one of theirs and has not been ended.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn in_session(
        conn: &mut DbConnection,
        id: i64,
        session: i64,
    ) -> QueryResult<Option<(Self, bool)>> {
        let theirs = sessions::id
            .eq(session)
            .and(sessions::user_id.eq(users::id));
        users::table
            .left_join(sessions::table.on(theirs))
            .filter(users::id.eq(id))
            .select((Self::as_select(), sessions::id.nullable().is_not_null()))
            .first(conn)
            .optional()
    }

    /// As [`in_session`](Self::in_session), for a transaction that writes: what it finds stays true until its end. SQLite has
    /// one writer, and the transaction is it.
    ///
    /// # Errors
    /// Those of the statements.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "SQLite sees to it by itself")
    )]
    pub fn held_in_session(
        conn: &mut DbConnection,
        id: i64,
        session: i64,
        hold: Hold,
    ) -> QueryResult<Option<(Self, bool)>> {
        #[cfg(feature = "postgres")]
        if let DbConnection::Postgres(conn) = conn {
            let both = users::table
                .inner_join(sessions::table)
                .filter(users::id.eq(id))
                .filter(sessions::id.eq(session))
                .select(Self::as_select());
            let user = match hold {
                Hold::Shared => both.for_share().get_result(conn),
                Hold::Alone => both.for_update().get_result(conn),
            };
            if let Some(user) = user.optional()? {
                return Ok(Some((user, true)));
            }
        }
        // On PostgreSQL one of the two is gone, and this tells which.
        Self::in_session(conn, id, session)
    }
}

stored!(User, users);

impl User {
    pub const USERNAME_MAX: usize = 150;
    pub const EMAIL_MAX: usize = 254;
    /// The error for removing the last active staff user.
    pub const LAST_STAFF: &'static str =
        "The last active staff user cannot be deleted, demoted or deactivated.";

    pub fn all() -> UserQuery {
        users::table.select(Self::as_select()).into_boxed()
    }

    /// Finds by name, in any letter case.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn named(conn: &mut DbConnection, username: &str) -> QueryResult<Option<Self>> {
        users::table
            .filter(users::username_key.eq(fold(username)))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }

    /// The hash of the user's password.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn password(conn: &mut DbConnection, id: i64) -> QueryResult<Option<PasswordHash>> {
        let hash: Option<String> = users::table
            .find(id)
            .select(users::password)
            .first(conn)
            .optional()?;
        Ok(hash.map(PasswordHash::stored))
    }

    /// The hashes of several users' passwords, by their ids.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn passwords(
        conn: &mut DbConnection,
        ids: &[i64],
    ) -> QueryResult<HashMap<i64, PasswordHash>> {
        let hashes: Vec<(i64, String)> = users::table
            .filter(OneOf::ids(users::id, ids))
            .select((users::id, users::password))
            .load(conn)?;
        Ok(hashes
            .into_iter()
            .map(|(id, hash)| (id, PasswordHash::stored(hash)))
            .collect())
    }

    /// Whether there is any.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn any(conn: &mut DbConnection) -> QueryResult<bool> {
        let anybody = users::table.select(users::id);
        diesel::select(dsl::exists(anybody)).get_result(conn)
    }

    /// Whether anybody of the staff can sign in.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn any_staff(conn: &mut DbConnection) -> QueryResult<bool> {
        Ok(!Self::active_staff(conn)?.is_empty())
    }

    /// Whether this is the only active one of the staff, for a transaction that is [`alone`](Self::alone).
    ///
    /// # Errors
    /// Those of the statement.
    pub fn is_last_staff(conn: &mut DbConnection, id: i64) -> QueryResult<bool> {
        Ok(Self::active_staff(conn)? == [id])
    }

    /// Lets transactions that change the rights of users come one after another, from here to their end. Of two staff users who
    /// depose one another, the second is then judged by what the first has done, and of the last two no two go at once. It
    /// has to come first in a transaction.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn alone(conn: &mut DbConnection) -> QueryResult<()> {
        match conn {
            DbConnection::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(conn) => {
                // By the table's number, for other schemas have users of their own.
                diesel::sql_query("SELECT pg_advisory_xact_lock('users'::regclass::oid::bigint)")
                    .execute(conn)
                    .map(|_| ())
            }
        }
    }

    fn active_staff(conn: &mut DbConnection) -> QueryResult<Vec<i64>> {
        users::table
            .filter(users::is_staff.and(users::is_active))
            .select(users::id)
            .order(users::id)
            .load(conn)
    }

    /// Sets the password and ends the user's sessions.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn set_password(conn: &mut DbConnection, id: i64, hash: &PasswordHash) -> QueryResult<()> {
        diesel::update(users::table.find(id))
            .set(users::password.eq(hash.as_str()))
            .execute(conn)?;
        Self::end_sessions(conn, id)
    }

    /// Ends all the user's sessions: no refresh token of theirs works any more.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn end_sessions(conn: &mut DbConnection, id: i64) -> QueryResult<()> {
        diesel::delete(sessions::table.filter(sessions::user_id.eq(id)))
            .execute(conn)
            .map(|_| ())
    }

    /// Checks a name as Django's `UnicodeUsernameValidator` does.
    ///
    /// # Errors
    /// The message for text that cannot be a user's name.
    pub fn check_username(text: &str) -> Result<String, String> {
        let username = rules::text(text, Self::USERNAME_MAX)?;
        let fits = |character: char| character.is_alphanumeric() || "@.+-_".contains(character);
        if username.chars().all(fits) {
            Ok(username)
        } else {
            Err(
                "Enter a valid username. This value may contain only letters, numbers, \
                 and @/./+/-/_ characters."
                    .to_owned(),
            )
        }
    }

    /// Checks an address; there may be none.
    ///
    /// # Errors
    /// The message for text that cannot be an address.
    pub fn check_email(text: &str) -> Result<String, String> {
        let email = rules::optional_text(text, Self::EMAIL_MAX)?;
        if email.is_empty() || email::is_address(&email) {
            Ok(email)
        } else {
            Err("Enter a valid email address.".to_owned())
        }
    }
}

impl Listed for User {
    type Source = users::table;
    type Query = UserQuery;

    const NAME: &'static str = "User";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(users::id))
            .filtered()
            .sorted_int(|row| row.id),
        Field::text("username", || Arc::new(users::username))
            .filtered_folded(|| Arc::new(users::username_key))
            .sorted_text(|row| row.username.clone()),
        Field::text("email", || Arc::new(users::email))
            .filtered_folded(|| Arc::new(users::email_key)),
        Field::boolean("is_staff", || Arc::new(users::is_staff)).filtered(),
        Field::boolean("is_active", || Arc::new(users::is_active)).filtered(),
        Field::time("date_joined", || Arc::new(users::date_joined))
            .filtered()
            .sorted_time(|row| Some(row.date_joined)),
        Field::time("last_login", || Arc::new(users::last_login))
            .filtered()
            .nullable()
            .sorted_time(|row| row.last_login),
    ];
    const DEFAULT_ORDER: &'static str = "id";
    const HAS_WORD: Option<fn(&str) -> Condition> = None;
}

/// A user to be, or what one is to become. The password goes its own way.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct UserDraft {
    pub username: String,
    pub email: String,
    pub is_staff: bool,
    pub is_active: bool,
    pub date_joined: Stamp,
    pub last_login: Option<Stamp>,
}

impl UserDraft {
    pub fn new(now: Stamp) -> Self {
        Self {
            username: String::new(),
            email: String::new(),
            is_staff: false,
            is_active: true,
            date_joined: now,
            last_login: None,
        }
    }

    /// `id` is the database's to choose unless it is given.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn insert(
        &self,
        conn: &mut DbConnection,
        id: Option<i64>,
        password: &PasswordHash,
    ) -> QueryResult<i64> {
        let keys = (
            users::username_key.eq(fold(&self.username)),
            users::email_key.eq(fold(&self.email)),
            users::password.eq(password.as_str()),
        );
        insert_row!(conn, users, id, (self, &keys))
    }

    /// Deactivating a user ends the user's sessions for good.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn update(&self, conn: &mut DbConnection, id: i64) -> QueryResult<()> {
        let keys = (
            users::username_key.eq(fold(&self.username)),
            users::email_key.eq(fold(&self.email)),
        );
        diesel::update(users::table.find(id))
            .set((self, keys))
            .execute(conn)?;
        if self.is_active {
            Ok(())
        } else {
            User::end_sessions(conn, id)
        }
    }
}

impl From<User> for UserDraft {
    fn from(user: User) -> Self {
        let User {
            id: _,
            username,
            email,
            is_staff,
            is_active,
            date_joined,
            last_login,
        } = user;
        Self {
            username,
            email,
            is_staff,
            is_active,
            date_joined,
            last_login,
        }
    }
}
