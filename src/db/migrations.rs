//! The schema's history, embedded in the binary, and what it says of a database.

use std::{collections::BTreeSet, fmt::Display};

use diesel::{
    QueryResult,
    dsl::sql,
    migration::{Migration, MigrationSource},
    prelude::*,
    sql_types::Bool,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Backend, DbConnection, Error, Target, files};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
#[cfg(feature = "postgres")]
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

table! {
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// What a database is to this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing is there yet.
    New,
    /// It is as this binary wants it.
    Current,
    /// These migrations are still to be applied, oldest first.
    Pending(Vec<String>),
}

/// What a command needs of the database before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// A new one is created; one with migrations pending is refused, for it wants a backup first.
    CreateWhenNew,
    /// It must be there.
    MustExist,
}

/// Opens a connection to a database that is ready for use, created where `readiness` allows.
///
/// # Errors
/// [`Error::Refused`] for a database that is missing, foreign, newer than the binary or older.
pub fn prepare(target: &Target, readiness: Readiness) -> Result<DbConnection, Error> {
    match readiness {
        Readiness::MustExist => must_exist(target)?,
        Readiness::CreateWhenNew => make(target)?,
    }
    let mut conn = DbConnection::connect(target)?;
    match status(&mut conn, target)? {
        Status::Current => {}
        Status::New if readiness == Readiness::CreateWhenNew => {
            migrate(&mut conn, target)?;
        }
        Status::New => return Err(none_at(target)),
        Status::Pending(versions) => {
            return Err(Error::Refused(format!(
                "{target} is of an earlier version ({} to apply): back it up, then run `roster migrate`",
                versions.len()
            )));
        }
    }
    Ok(conn)
}

/// Applies what is pending and returns it, oldest first; creates the database when it is new.
///
/// # Errors
/// [`Error::Refused`] for a database that is foreign or newer than the binary.
pub fn applied(target: &Target) -> Result<Vec<String>, Error> {
    make(target)?;
    let mut conn = DbConnection::connect(target)?;
    status(&mut conn, target)?;
    migrate(&mut conn, target)
}

/// Lists what is pending, oldest first, and changes nothing.
///
/// # Errors
/// [`Error::Refused`] for a database that is missing, foreign or newer than the binary.
pub fn pending(target: &Target) -> Result<Vec<String>, Error> {
    must_exist(target)?;
    let mut conn = DbConnection::connect(target)?;
    match status(&mut conn, target)? {
        Status::Current => Ok(Vec::new()),
        Status::Pending(names) => Ok(names),
        Status::New => Err(none_at(target)),
    }
}

/// Whether there is no roster database yet, by looking alone.
///
/// # Errors
/// [`Error::Refused`] for a database that is foreign or newer than the binary.
pub fn is_new(target: &Target) -> Result<bool, Error> {
    if must_exist(target).is_err() {
        return Ok(true);
    }
    let mut conn = DbConnection::connect(target)?;
    Ok(matches!(status(&mut conn, target)?, Status::New))
}

/// # Errors
/// [`Error::Lost`] when the database is not any more as this binary wants it.
pub fn must_be_current(conn: &mut DbConnection) -> Result<(), Error> {
    match status(conn, &"the database") {
        Ok(Status::Current) => Ok(()),
        Ok(Status::New) => Err(Error::Lost(
            "the database has no tables any more".to_owned(),
        )),
        Ok(Status::Pending(names)) => Err(Error::Lost(format!(
            "migrations are pending: {}",
            names.join(", ")
        ))),
        Err(Error::Refused(reason)) => Err(Error::Lost(reason)),
        Err(error) => Err(error),
    }
}

/// Makes the file of a new embedded database. A PostgreSQL database is created by its administrator.
fn make(target: &Target) -> Result<(), Error> {
    match target {
        Target::Sqlite(path) => files::make(path)
            .map_err(|error| Error::Refused(format!("cannot make {target}: {error}"))),
        #[cfg(feature = "postgres")]
        Target::Postgres(_) => Ok(()),
    }
}

fn must_exist(target: &Target) -> Result<(), Error> {
    match target {
        Target::Sqlite(path) if path.exists() => Ok(()),
        Target::Sqlite(_) => Err(none_at(target)),
        #[cfg(feature = "postgres")]
        Target::Postgres(_) => Ok(()),
    }
}

fn none_at(target: &Target) -> Error {
    Error::Refused(format!(
        "there is no roster database at {target}: `roster migrate` makes one"
    ))
}

/// Compares the database, which errors call by `name`, with the binary by reading alone.
fn status(conn: &mut DbConnection, name: &dyn Display) -> Result<Status, Error> {
    let (has_history, has_tables) = tables(conn).map_err(|error| match Error::from(error) {
        Error::Query(error) => Error::Refused(format!("cannot read {name}: {error}")),
        passing => passing,
    })?;
    if !has_history && has_tables {
        return Err(Error::Refused(format!(
            "{name} belongs to another application: it is left untouched"
        )));
    }
    if !has_history {
        return Ok(Status::New);
    }
    let known = history(conn)?;
    let applied: BTreeSet<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(conn)?
        .into_iter()
        .collect();
    if let Some(unknown) = applied
        .iter()
        .find(|version| !known.iter().any(|(known, _)| known == *version))
    {
        return Err(Error::Refused(format!(
            "{name} was made by a newer roster (migration {unknown}): it is left untouched, use that version"
        )));
    }
    let pending: Vec<String> = known
        .into_iter()
        .filter(|(version, _)| !applied.contains(version))
        .map(|(_, name)| name)
        .collect();
    Ok(match pending.len() {
        0 => Status::Current,
        _ if applied.is_empty() => Status::New,
        _ => Status::Pending(pending),
    })
}

/// Whether the table of applied migrations is there, and whether any other is.
fn tables(conn: &mut DbConnection) -> QueryResult<(bool, bool)> {
    let (history, any) = match conn {
        DbConnection::Sqlite(_) => (
            "EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations')",
            "EXISTS (SELECT 1 FROM sqlite_master)",
        ),
        #[cfg(feature = "postgres")]
        DbConnection::Postgres(_) => (
            "to_regclass('__diesel_schema_migrations') IS NOT NULL",
            "EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())",
        ),
    };
    diesel::select((sql::<Bool>(history), sql::<Bool>(any))).get_result(conn)
}

fn source(conn: &DbConnection) -> EmbeddedMigrations {
    match conn {
        DbConnection::Sqlite(_) => SQLITE,
        #[cfg(feature = "postgres")]
        DbConnection::Postgres(_) => POSTGRES,
    }
}

/// The migrations of this binary as (version, name), oldest first.
fn history(conn: &DbConnection) -> Result<Vec<(String, String)>, Error> {
    let migrations = MigrationSource::<Backend>::migrations(&source(conn)).map_err(|error| {
        Error::Refused(format!("the embedded migrations cannot be read: {error}"))
    })?;
    let mut known: Vec<_> = migrations
        .iter()
        .map(|m| (m.name().version().to_string(), m.name().to_string()))
        .collect();
    known.sort();
    Ok(known)
}

fn migrate(conn: &mut DbConnection, target: &Target) -> Result<Vec<String>, Error> {
    let known = history(conn)?;
    let source = source(conn);
    let versions = conn
        .run_pending_migrations(source)
        .map_err(|error| Error::Refused(format!("cannot migrate {target}: {error}")))?;
    Ok(versions
        .into_iter()
        .filter_map(|version| {
            known
                .iter()
                .find(|(known, _)| *known == version.to_string())
        })
        .map(|(_, name)| name.clone())
        .collect())
}
