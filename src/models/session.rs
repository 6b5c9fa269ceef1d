//! Sessions: each a family of refresh tokens, of which the last works and those before it have worked once.
//!
//! Every change of a family begins with its session's row, which holds the others off: on PostgreSQL as on SQLite the tokens
//! of one family are used one after another.

use std::{sync::Arc, time::Duration};

use diesel::{dsl, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;

use super::insert::insert_row;
use crate::{
    auth::PasswordHash,
    db::{
        Backend, DbConnection, Stamp,
        schema::{developers, refresh_tokens, sessions, users},
    },
    query::{Condition, Field, Listed},
};

/// A session as its user sees it: where and when a sign-in began it, and when its tokens were last renewed.
///
/// ```json
/// {
///   "id": 5, "address": "192.0.2.7", "user_agent": "curl/8.14.1", "created_at": "2026-11-20T08:15:30.123456Z",
///   "last_used_at": "2026-11-20T08:20:30.123456Z", "expires_at": "2026-11-21T08:20:30.123456Z"
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: i64,
    #[schema(required)]
    pub address: Option<String>,
    pub user_agent: String,
    pub created_at: Stamp,
    pub last_used_at: Stamp,
    pub expires_at: Stamp,
}

/// A query for sessions that goes on being one, whatever is added to it.
pub type SessionQuery =
    dsl::IntoBoxed<'static, dsl::Select<sessions::table, dsl::AsSelect<Session, Backend>>, Backend>;

/// A refresh token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = refresh_tokens)]
pub struct NewRefreshToken {
    pub jti_hash: String,
    pub expires_at: Stamp,
}

/// From where somebody signs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    pub address: Option<String>,
    pub user_agent: String,
}

/// Somebody whose password has been checked.
#[derive(Debug, Clone)]
pub struct SignIn {
    pub user_id: i64,
    /// The hash that the password matched.
    pub checked: PasswordHash,
    /// One to take its place, when it is not as hashes are made now.
    pub renewed: Option<PasswordHash>,
    pub origin: Origin,
}

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It has worked; the next one of its family is stored.
    Rotated,
    /// It works no more. Was it used before, its family has been ended: one of the two who had it was a thief.
    Refused,
}

impl Session {
    /// The live sessions of a user.
    pub fn of_user(user_id: i64, now: Stamp) -> SessionQuery {
        sessions::table
            .filter(sessions::user_id.eq(user_id))
            .filter(sessions::expires_at.gt(now))
            .select(Self::as_select())
            .into_boxed()
    }

    /// Uses the token of this hash up and stores the `next` of its family. A token that was used no longer than `grace` ago works
    /// again; one that was used before that ends its family.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn rotate(
        conn: &mut DbConnection,
        jti_hash: &str,
        next: &NewRefreshToken,
        grace: Duration,
        now: Stamp,
    ) -> QueryResult<Use> {
        let Some(id) = Self::of_token(conn, jti_hash)? else {
            return Ok(Use::Refused);
        };
        conn.hold("sessions", id)?;
        let token = refresh_tokens::table.find(jti_hash);
        // Looked up again, now that nobody else is at this family.
        let used_at: Option<Option<Stamp>> = token
            .select(refresh_tokens::used_at)
            .first(conn)
            .optional()?;
        match used_at {
            None => return Ok(Use::Refused),
            // Without grace whatever the clocks say: `now` may have been read before the token was used.
            Some(Some(used_at)) if grace.is_zero() || used_at <= now.before(grace) => {
                Self::end(conn, id)?;
                return Ok(Use::Refused);
            }
            Some(Some(_)) => {}
            Some(None) => {
                diesel::update(token)
                    .set(refresh_tokens::used_at.eq(now))
                    .execute(conn)?;
            }
        }
        Self::purge(conn, now)?;
        next.insert(conn, id)?;
        diesel::update(sessions::table.find(id))
            .set((
                sessions::last_used_at.eq(now),
                sessions::expires_at.eq(next.expires_at),
            ))
            .execute(conn)?;
        Ok(Use::Rotated)
    }

    /// Whether the token of this hash would work.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn is_live(conn: &mut DbConnection, jti_hash: &str) -> QueryResult<bool> {
        let unused = refresh_tokens::table
            .find(jti_hash)
            .filter(refresh_tokens::used_at.is_null());
        diesel::select(dsl::exists(unused)).get_result(conn)
    }

    /// Ends the family of the token of this hash. Returns whether there was one.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn end_of_token(conn: &mut DbConnection, jti_hash: &str) -> QueryResult<bool> {
        match Self::of_token(conn, jti_hash)? {
            Some(id) => Self::end(conn, id),
            None => Ok(false),
        }
    }

    /// Ends a session of that user. Returns whether there was one.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn end_of_user(conn: &mut DbConnection, id: i64, user_id: i64) -> QueryResult<bool> {
        let session = sessions::table
            .find(id)
            .filter(sessions::user_id.eq(user_id));
        diesel::delete(session).execute(conn).map(|ended| ended > 0)
    }

    fn of_token(conn: &mut DbConnection, jti_hash: &str) -> QueryResult<Option<i64>> {
        refresh_tokens::table
            .find(jti_hash)
            .select(refresh_tokens::session_id)
            .first(conn)
            .optional()
    }

    fn end(conn: &mut DbConnection, id: i64) -> QueryResult<bool> {
        diesel::delete(sessions::table.find(id))
            .execute(conn)
            .map(|ended| ended > 0)
    }

    /// Forgets what has expired, for that is refused by its own date.
    fn purge(conn: &mut DbConnection, now: Stamp) -> QueryResult<()> {
        diesel::delete(sessions::table.filter(sessions::expires_at.lt(now))).execute(conn)?;
        diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now)))
            .execute(conn)?;
        Ok(())
    }
}

impl SignIn {
    /// Begins a session with its first token, and sets the times of login of the user and the developer. Returns whether it
    /// could: not when the password or the user's state has changed since it was checked.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn begin(
        &self,
        conn: &mut DbConnection,
        token: &NewRefreshToken,
        now: Stamp,
    ) -> QueryResult<bool> {
        let unchanged = users::table
            .find(self.user_id)
            .filter(users::is_active)
            .filter(users::password.eq(self.checked.as_str()));
        let password = self.renewed.as_ref().unwrap_or(&self.checked);
        let found = diesel::update(unchanged)
            .set((
                users::last_login.eq(now),
                users::password.eq(password.as_str()),
            ))
            .execute(conn)?;
        if found == 0 {
            return Ok(false);
        }
        diesel::update(developers::table.filter(developers::user_id.eq(self.user_id)))
            .set(developers::last_login.eq(now))
            .execute(conn)?;
        Session::purge(conn, now)?;
        let row = (
            sessions::user_id.eq(self.user_id),
            sessions::address.eq(&self.origin.address),
            sessions::user_agent.eq(&self.origin.user_agent),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(token.expires_at),
        );
        let id = insert_row!(conn, sessions, row)?;
        token.insert(conn, id)?;
        Ok(true)
    }
}

impl NewRefreshToken {
    fn insert(&self, conn: &mut DbConnection, session_id: i64) -> QueryResult<()> {
        diesel::insert_into(refresh_tokens::table)
            .values((self, refresh_tokens::session_id.eq(session_id)))
            .execute(conn)
            .map(|_| ())
    }
}

impl Listed for Session {
    type Source = sessions::table;
    type Query = SessionQuery;

    const NAME: &'static str = "Session";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(sessions::id)).sorted_int(|row| row.id),
        Field::time("created_at", || Arc::new(sessions::created_at))
            .sorted_time(|row| Some(row.created_at)),
        Field::time("last_used_at", || Arc::new(sessions::last_used_at))
            .sorted_time(|row| Some(row.last_used_at)),
    ];
    const DEFAULT_ORDER: &'static str = "-created_at";
    const HAS_WORD: Option<fn(&str) -> Condition> = None;
}
