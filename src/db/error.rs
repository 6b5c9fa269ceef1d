use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What can go wrong at a door or behind it.
#[derive(Debug)]
pub enum Error {
    /// The database cannot be opened as it is; the text is one line for the person at the console.
    Refused(String),
    /// Busy, unreachable or out of storage: the same request may succeed later. Nothing was written.
    Unavailable(String),
    /// Work inside a door panicked. Nothing of it was written.
    Panicked,
    /// Any other failure of a statement.
    Query(DieselError),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) => out.write_str(text),
            Self::Unavailable(text) => write!(out, "the database is unavailable: {text}"),
            Self::Panicked => out.write_str("work on the database panicked"),
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
    const PASSING: [&str; 4] = [
        "database is locked",
        "database table is locked",
        "database or disk is full",
        "disk I/O error",
    ];
    matches!(
        kind,
        DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::SerializationFailure
            | DatabaseErrorKind::UnableToSendCommand
    ) || PASSING.iter().any(|text| message.contains(text))
}
