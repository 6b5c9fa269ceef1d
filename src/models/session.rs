//! Sessions: each a family of refresh tokens, of which the last works and those before it have worked once.
//!
//! Every change of a family begins with its session's row, which holds the others off: on PostgreSQL as on SQLite the tokens
//! of one family are used one after another.

use std::{sync::Arc, time::Duration};

use diesel::{dsl, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;

use super::UserBrief;
use crate::{
    db::{
        Backend, DbConnection, Stamp,
        schema::{refresh_tokens, sessions, users},
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

/// The next token of a family, and until when the session lasts with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    pub token: NewRefreshToken,
    /// An access token that is given out with it may live longer than the refresh token.
    pub until: Stamp,
}

/// A session and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    pub session: i64,
    pub user: UserBrief,
}

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// It has worked, at `at`: its one successor expires at `expires_at`. Within the grace it is answered so again.
    Rotated {
        session: i64,
        at: Stamp,
        expires_at: Stamp,
    },
    /// It was used before, so one of the two who had it was a thief: its family has been ended.
    Reused(Family),
    /// It works no more.
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

    /// Uses the token of this hash up and stores the `next` of its family, which is the only successor it can have. A token that
    /// was used no longer than `grace` ago is answered with that successor again; one that was used before that ends its family.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn rotate(
        conn: &mut DbConnection,
        jti_hash: &str,
        next: &Next,
        grace: Duration,
        now: Stamp,
    ) -> QueryResult<Use> {
        let Some(family) = Self::family(conn, jti_hash)? else {
            return Ok(Use::Refused);
        };
        let id = family.session;
        conn.hold("sessions", id)?;
        // Looked up again, now that nobody else is at this family.
        let token = refresh_tokens::table.find(jti_hash);
        let used_at: Option<Option<Stamp>> = token
            .select(refresh_tokens::used_at)
            .first(conn)
            .optional()?;
        let Some(used_at) = used_at else {
            return Ok(Use::Refused);
        };
        if let Some(used_at) = used_at {
            // Without grace whatever the clocks say: `now` may have been read before the token was used.
            let again = !grace.is_zero() && used_at > now.before(grace);
            return match Self::successor(conn, next)?.filter(|_| again) {
                Some(expires_at) => Ok(Use::Rotated {
                    session: id,
                    at: used_at,
                    expires_at,
                }),
                None => Self::end(conn, id).map(|_| Use::Reused(family)),
            };
        }
        diesel::update(token)
            .set(refresh_tokens::used_at.eq(now))
            .execute(conn)?;
        Self::purge(conn, now)?;
        next.token.insert(conn, id)?;
        diesel::update(sessions::table.find(id))
            .set((
                sessions::last_used_at.eq(now),
                sessions::expires_at.eq(next.until),
            ))
            .execute(conn)?;
        Ok(Use::Rotated {
            session: id,
            at: now,
            expires_at: next.token.expires_at,
        })
    }

    /// When the stored successor of a used token expires.
    fn successor(conn: &mut DbConnection, next: &Next) -> QueryResult<Option<Stamp>> {
        refresh_tokens::table
            .find(&next.token.jti_hash)
            .select(refresh_tokens::expires_at)
            .first(conn)
            .optional()
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

    /// Ends the family of the token of this hash, and returns which that was.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn end_of_token(conn: &mut DbConnection, jti_hash: &str) -> QueryResult<Option<Family>> {
        let Some(family) = Self::family(conn, jti_hash)? else {
            return Ok(None);
        };
        let ended = Self::end(conn, family.session)?;
        Ok(ended.then_some(family))
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

    fn family(conn: &mut DbConnection, jti_hash: &str) -> QueryResult<Option<Family>> {
        let found = refresh_tokens::table
            .inner_join(sessions::table.inner_join(users::table))
            .filter(refresh_tokens::jti_hash.eq(jti_hash))
            .select((sessions::id, UserBrief::as_select()))
            .first(conn)
            .optional()?;
        Ok(found.map(|(session, user)| Family { session, user }))
    }

    fn end(conn: &mut DbConnection, id: i64) -> QueryResult<bool> {
        diesel::delete(sessions::table.find(id))
            .execute(conn)
            .map(|ended| ended > 0)
    }

    /// Forgets what has expired, for that is refused by its own date.
    pub(super) fn purge(conn: &mut DbConnection, now: Stamp) -> QueryResult<()> {
        diesel::delete(sessions::table.filter(sessions::expires_at.lt(now))).execute(conn)?;
        diesel::delete(refresh_tokens::table.filter(refresh_tokens::expires_at.lt(now)))
            .execute(conn)?;
        Ok(())
    }
}

impl NewRefreshToken {
    pub(super) fn insert(&self, conn: &mut DbConnection, session_id: i64) -> QueryResult<()> {
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
