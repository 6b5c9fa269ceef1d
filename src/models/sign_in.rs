//! Signing in: what is known of a name, and the session that begins.

use diesel::{
    dsl::{self, sql},
    prelude::*,
    sql_types::Text,
};

use super::{Next, Session, User, insert::insert_row};
use crate::{
    auth::{Kind, PasswordHash},
    db::{
        DbConnection, Stamp,
        schema::{developers, sessions, users},
    },
    text::fold,
};

/// What there is to know of a name that somebody signs in with. It is looked up by the same statements whether the name is
/// anybody's or nobody's.
#[derive(Debug)]
pub struct Candidate {
    /// The user of that name and the hash of the password.
    pub user: Option<(User, PasswordHash)>,
    /// The kinds of hashes that are stored of any users.
    pub kinds: Vec<Kind>,
    /// Whether the user has a live session at the address.
    pub is_signed_in: bool,
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

impl Candidate {
    /// Finds the user by name, in any letter case.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn find(
        conn: &mut DbConnection,
        username: &str,
        origin: &Origin,
        now: Stamp,
    ) -> QueryResult<Self> {
        let key = fold(username);
        let user: Option<(User, String)> = users::table
            .filter(users::username_key.eq(&key))
            .select((User::as_select(), users::password))
            .first(conn)
            .optional()?;
        let session = sessions::table
            .inner_join(users::table)
            .filter(users::username_key.eq(&key))
            .filter(sessions::address.eq(&origin.address))
            .filter(sessions::expires_at.gt(now));
        Ok(Self {
            user: user.map(|(user, hash)| (user, PasswordHash::stored(hash))),
            is_signed_in: diesel::select(dsl::exists(session)).get_result(conn)?,
            kinds: kinds(conn)?,
        })
    }

    /// The hash that the password has to match: none for a user who may not sign in.
    pub fn hash(&self) -> Option<PasswordHash> {
        let user = self.user.as_ref().filter(|(user, _)| user.is_active);
        user.map(|(_, hash)| hash.clone())
    }
}

/// The kinds of hashes that active users have. Their beginnings are indexed, and each kind is stepped over as a whole, so it
/// takes a look-up a kind.
fn kinds(conn: &mut DbConnection) -> QueryResult<Vec<Kind>> {
    /// More kinds than any directory brings along: a file must not be able to make every attempt to sign in costlier without
    /// end.
    const KINDS_MAX: usize = 32;
    // No kind begins with a character before this.
    let (mut from, mut kinds) = ("$".to_owned(), Vec::new());
    for _ in 0..KINDS_MAX {
        // As the index has it: so many characters tell the kind.
        let start = || sql::<Text>("substr(users.password, 1, 48)");
        let first: Option<String> = users::table
            .filter(users::is_active)
            .filter(start().ge(&from))
            .order(start())
            .select(start())
            .first(conn)
            .optional()?;
        let Some(first) = first else {
            break;
        };
        let (kind, end) = Kind::of_prefix(&first);
        kinds.extend(kind);
        from = end;
    }
    Ok(kinds)
}

impl SignIn {
    /// Begins a session with its first token, sets the times of login of the user and the developer, and returns the session's id.
    /// It returns none when the password or the user's state has changed since it was checked.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn begin(
        &self,
        conn: &mut DbConnection,
        next: &Next,
        now: Stamp,
    ) -> QueryResult<Option<i64>> {
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
            return Ok(None);
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
            sessions::expires_at.eq(next.until),
        );
        let id = insert_row!(conn, sessions, row)?;
        next.token.insert(conn, id)?;
        Ok(Some(id))
    }
}
