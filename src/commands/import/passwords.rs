//! Plain passwords of a file, hashed and compared before the transaction that stores them: it must not wait for that.

use std::{
    collections::{BTreeMap, VecDeque},
    thread,
};

use super::{Undone, report::Report, source::Source};
use crate::{
    auth::{PasswordHash, password},
    db::{self, Db, DbConnection},
    files::Kind,
    json::Json,
    models::{Stored as _, User},
    rules,
};

/// What was made of the plain password of a row.
pub struct Ready {
    plain: String,
    /// The hash that was stored when it was looked at.
    old: Option<PasswordHash>,
    /// The hash to be stored; `None` when the password is the one that is stored.
    new: Option<PasswordHash>,
}

impl Ready {
    /// The hash to store for the user of this id; `None` when the password is the one that is stored. It was made before,
    /// unless somebody has set another password since.
    pub fn hash(
        self,
        conn: &mut DbConnection,
        id: Option<i64>,
    ) -> Result<Option<PasswordHash>, db::Error> {
        let old = match id {
            Some(id) => User::password(conn, id)?,
            None => None,
        };
        if old == self.old {
            Ok(self.new)
        } else {
            in_place_of(old.as_ref(), &self.plain)
        }
    }
}

/// One for each record of the file that can be read, in their order; `None` where there is no plain password.
pub type Passwords = VecDeque<Option<Ready>>;

/// Hashes the passwords of a file of users, which is kept for the import. Other files have none.
///
/// # Errors
/// Those of the file and of the database.
pub fn prepare(db: &Db, source: &mut Source) -> Result<Passwords, Undone> {
    if source.kind != Kind::of::<User>() {
        return Ok(Passwords::new());
    }
    let given = given(source)?;
    let given = db.read_blocking(|conn| {
        let looked_up = given.into_iter().map(|given| match given {
            Some(given) => given.stored(conn).map(|old| Some((given, old))),
            None => Ok(None),
        });
        looked_up.collect::<Result<Vec<_>, db::Error>>()
    })?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let parts = given.chunks(given.len().div_ceil(cores).max(1));
    thread::scope(|scope| {
        let threads: Vec<_> = parts.map(|part| scope.spawn(|| ready(part))).collect();
        let mut all = Passwords::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| db::Error::Panicked)??);
        }
        Ok(all)
    })
}

/// A row with a plain password of a length that can be taken, and whose it is.
struct WithPassword {
    id: Option<i64>,
    username: String,
    password: String,
}

impl WithPassword {
    /// The hash that the row's user has.
    fn stored(&self, conn: &mut DbConnection) -> Result<Option<PasswordHash>, db::Error> {
        let id = match self.id {
            Some(id) => Some(id),
            None => User::named(conn, &self.username)?.map(|user| user.id()),
        };
        Ok(match id {
            Some(id) => User::password(conn, id)?,
            None => None,
        })
    }
}

/// Those of the rows. What is wrong with a row is told when it is imported.
fn given(source: &mut Source) -> Result<Vec<Option<WithPassword>>, Undone> {
    let copy = source
        .read_ahead()
        .map_err(|error| db::Error::Refused(format!("{} cannot be read: {error}", source.name)))?;
    let mut given = Vec::new();
    copy.each(&mut Report::default(), |record, _| {
        given.push(with_password(&record.fields));
        Ok(())
    })?;
    Ok(given)
}

fn with_password(fields: &BTreeMap<String, Json>) -> Option<WithPassword> {
    let text = |name| match fields.get(name)? {
        Json::Text(text) => Some(text.as_str()),
        _ => None,
    };
    let password = rules::within(text("password")?, password::LENGTH_MAX).ok()?;
    // One that is too short will be refused, and is not worth a hash.
    password.chars().nth(password::LENGTH_MIN - 1)?;
    Some(WithPassword {
        id: fields
            .get("id")
            .and_then(|id| rules::integer(&id.digits(), &(1..=rules::ID_MAX)).ok()),
        username: User::check_username(text("username")?).ok()?,
        password: password.to_owned(),
    })
}

type Looked = Option<(WithPassword, Option<PasswordHash>)>;

fn ready(part: &[Looked]) -> Result<Vec<Option<Ready>>, db::Error> {
    let one = |(given, old): &(WithPassword, Option<PasswordHash>)| {
        Ok(Ready {
            plain: given.password.clone(),
            old: old.clone(),
            new: in_place_of(old.as_ref(), &given.password)?,
        })
    };
    part.iter()
        .map(|given| given.as_ref().map(one).transpose())
        .collect()
}

/// The hash to store for a plain password in place of `old`; `None` when that is its own.
fn in_place_of(old: Option<&PasswordHash>, plain: &str) -> Result<Option<PasswordHash>, db::Error> {
    if old.is_some_and(|old| old.matches(plain)) {
        Ok(None)
    } else {
        PasswordHash::of(plain)
            .map(Some)
            .map_err(db::Error::Unavailable)
    }
}
