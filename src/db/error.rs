use std::fmt;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// What can go wrong at a door or behind it.
#[derive(Debug)]
pub enum Error {
    /// The database cannot be opened as it is; the text is one line for the person at the console.
    Refused(String),
    /// Busy, unreachable or out of storage: the same request may succeed later. Nothing was written.
    Unavailable(String),
    /// Work inside a door panicked. Nothing of it was written.
    Panicked,
    /// Another row has this value, and two may not.
    Taken { table: String, column: String },
    /// The row that the column refers to is not there any more.
    Gone { column: String, id: String },
    /// Any other failure of a statement.
    Query(DieselError),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) => out.write_str(text),
            Self::Unavailable(text) => write!(out, "the database is unavailable: {text}"),
            Self::Panicked => out.write_str("work on the database panicked"),
            Self::Taken { table, column } => write!(out, "{table}.{column} must be unique"),
            Self::Gone { column, id } => write!(out, "{column} refers to {id}, which is not there"),
            Self::Query(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Error {}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(kind, info) if is_passing(*kind, info.message()) => {
                Self::Unavailable(info.message().to_owned())
            }
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                match taken(info.as_ref()) {
                    Some((table, column)) => Self::Taken { table, column },
                    None => Self::Query(error),
                }
            }
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, info) => {
                match gone(info.as_ref()) {
                    Some((column, id)) => Self::Gone { column, id },
                    None => Self::Query(error),
                }
            }
            DieselError::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            _ => Self::Query(error),
        }
    }
}

impl From<diesel::r2d2::PoolError> for Error {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Diesel hands on SQLite's text but not its code, so the texts of `SQLITE_BUSY`, `SQLITE_LOCKED`,
/// `SQLITE_FULL` and `SQLITE_IOERR` decide here.
fn is_passing(kind: DatabaseErrorKind, message: &str) -> bool {
    const PASSING: [&str; 5] = [
        "database is locked",
        "database table is locked",
        "database or disk is full",
        "disk I/O error",
        // PostgreSQL's choice of whom to refuse when two wait for one another.
        "deadlock detected",
    ];
    matches!(
        kind,
        DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::UnableToSendCommand
    ) || PASSING.iter().any(|text| message.contains(text))
}

/// Table and column of a unique violation. SQLite names them in its text, PostgreSQL names the constraint, which is called
/// after them in every migration.
fn taken(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> Option<(String, String)> {
    if let Some(place) = info.message().strip_prefix("UNIQUE constraint failed: ") {
        let (table, column) = place.split(',').next()?.split_once('.')?;
        return Some((table.to_owned(), column.to_owned()));
    }
    let (table, constraint) = (info.table_name()?, info.constraint_name()?);
    let column = constraint.strip_prefix(table)?.strip_prefix('_')?;
    let column = column.strip_suffix("_unique").unwrap_or(column);
    Some((table.to_owned(), column.to_owned()))
}

/// Column and value of a reference to nothing, which only PostgreSQL tells: `Key (company_id)=(7) is not present in table …`.
/// On SQLite no other write comes between a look and the insert behind it.
fn gone(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> Option<(String, String)> {
    let (column, rest) = info.details()?.strip_prefix("Key (")?.split_once(")=(")?;
    let (id, _) = rest.split_once(") is not present")?;
    Some((column.to_owned(), id.to_owned()))
}
