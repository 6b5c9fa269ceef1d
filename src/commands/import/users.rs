use std::collections::HashSet;

use super::{
    Importer, Outcome,
    passwords::{Passwords, Ready, in_place_of},
    report::Report,
    row::{Given, Row},
};
use crate::{
    auth::{PasswordHash, password},
    db::{self, DbConnection, Stamp},
    models::{Stored, User, UserDraft},
    rules,
    text::fold,
};

pub struct Users {
    now: Stamp,
    ids: HashSet<i64>,
    names: HashSet<String>,
    passwords: Passwords,
    /// The line of the last one who was of the staff and is so no more.
    demoted: Option<u64>,
}

/// A password as a file gives it.
enum Password {
    /// In the clear, to be hashed.
    Plain(String),
    Hash(PasswordHash),
}

impl Users {
    pub fn new(now: Stamp, passwords: Passwords) -> Self {
        Self {
            now,
            ids: HashSet::new(),
            names: HashSet::new(),
            passwords,
            demoted: None,
        }
    }

    /// Whom the row speaks of, and whether its names are free.
    fn find(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
        username: &str,
    ) -> Result<(Option<i64>, Option<User>), db::Error> {
        let id = row.id();
        let named = User::named(conn, username)?;
        let old = match id {
            Some(id) => User::find(conn, id)?,
            None => named.clone(),
        };
        if id.is_some_and(|id| !self.ids.insert(id)) {
            row.refuse("id", &rules::taken("user", "id"));
        }
        let taken = named.is_some_and(|named| id.is_some_and(|id| id != named.id));
        if !self.names.insert(fold(username)) || taken {
            row.refuse("username", &rules::taken("user", "username"));
        }
        Ok((id, old))
    }
}

impl Importer for Users {
    fn take(&mut self, conn: &mut DbConnection, row: &mut Row<'_>) -> Result<Outcome, db::Error> {
        let ready = self.passwords.pop_front().flatten();
        let Some(username) = row.required("username", User::check_username) else {
            return Ok(Outcome::Refused);
        };
        let (id, old) = self.find(conn, row, &username)?;
        let old_id = old.as_ref().map(|old| old.id);
        let stored = old.map_or_else(|| UserDraft::new(self.now), UserDraft::from);
        let draft = read(row, username, &stored);
        let password = read_password(row, &draft);
        if row.is_refused() {
            return Ok(Outcome::Refused);
        }
        let Some(old_id) = old_id else {
            let hash = match password {
                Some(password) => password.instead_of(None, ready)?,
                None => None,
            };
            draft.insert(conn, id, &hash.unwrap_or_else(PasswordHash::unusable))?;
            return Ok(Outcome::Added);
        };
        if stored.is_staff && stored.is_active && !(draft.is_staff && draft.is_active) {
            self.demoted = Some(row.line());
        }
        let changed = draft != stored;
        if changed {
            draft.update(conn, old_id)?;
        }
        let reset = match password {
            Some(password) => password.store(conn, old_id, ready)?,
            None => false,
        };
        Ok(if changed || reset {
            Outcome::Changed
        } else {
            Outcome::Unchanged
        })
    }

    fn finish(
        &mut self,
        conn: &mut DbConnection,
        file: &str,
        report: &mut Report,
    ) -> Result<(), db::Error> {
        if let Some(line) = self.demoted
            && !User::any_staff(conn)?
        {
            report.add(file, line, "is_staff", User::LAST_STAFF);
        }
        Ok(())
    }
}

/// What the row says of the user, over what is stored.
fn read(row: &mut Row<'_>, username: String, stored: &UserDraft) -> UserDraft {
    let email = row.optional("email", User::check_email);
    let is_staff = row.optional("is_staff", rules::boolean);
    let is_active = row.optional("is_active", rules::boolean);
    let date_joined = row.optional("date_joined", rules::stamp);
    let last_login = row.optional("last_login", |text| rules::stamp(text).map(Some));
    UserDraft {
        username,
        email: email.or(stored.email.clone(), String::new()),
        is_staff: is_staff.or(stored.is_staff, false),
        is_active: is_active.or(stored.is_active, true),
        date_joined: date_joined.or(stored.date_joined, stored.date_joined),
        last_login: last_login.or(stored.last_login, None),
    }
}

/// An empty cell leaves the password that is stored.
fn read_password(row: &mut Row<'_>, draft: &UserDraft) -> Option<Password> {
    let plain = row.optional("password", |text| {
        rules::without_nul(text).map(ToOwned::to_owned)
    });
    let hash = row.optional("password_hash", PasswordHash::parse);
    match (plain, hash) {
        (Given::Value(_), Given::Value(_)) => {
            row.refuse("password", "Give a password or a password_hash, not both.");
            None
        }
        (Given::Value(plain), _) => {
            let broken = password::check(&plain, &draft.username, &draft.email).err();
            for message in broken.iter().flatten() {
                row.refuse("password", message);
            }
            Some(Password::Plain(plain))
        }
        (_, hash) => hash.value().map(Password::Hash),
    }
}

impl Password {
    /// The hash to store in place of `old`, if it is another.
    fn instead_of(
        self,
        old: Option<&PasswordHash>,
        ready: Option<Ready>,
    ) -> Result<Option<PasswordHash>, db::Error> {
        match self {
            Self::Plain(plain) => in_place_of(old, &plain, ready),
            Self::Hash(hash) => Ok((Some(&hash) != old).then_some(hash)),
        }
    }

    /// Returns whether it is another one than before.
    fn store(
        self,
        conn: &mut DbConnection,
        id: i64,
        ready: Option<Ready>,
    ) -> Result<bool, db::Error> {
        let old = User::password(conn, id)?;
        let new = self.instead_of(old.as_ref(), ready)?;
        if let Some(hash) = &new {
            User::set_password(conn, id, hash)?;
        }
        Ok(new.is_some())
    }
}
