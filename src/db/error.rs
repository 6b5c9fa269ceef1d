use std::fmt;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// What can go wrong at a door or behind it.
#[derive(Debug)]
pub enum Error {
    /// The database cannot be opened as it is; the text is one line for the person at the console.
    Refused(String),
    /// Busy, unreachable or out of storage: the same request may succeed later. Nothing was written.
    Unavailable(String),
    /// A read took longer than it may, or nobody waits for it any more. It was ended.
    TooLong,
    /// Nothing may be written: the database is not the one that was opened, its schema is another version's, or nobody is
    /// there to write. The text may be shown to anybody: it names no path.
    Lost(String),
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
            Self::Refused(text) | Self::Lost(text) => out.write_str(text),
            Self::Unavailable(text) => write!(out, "the database is unavailable: {text}"),
            Self::TooLong => out.write_str("the read took too long"),
            Self::Panicked => out.write_str("work on the database panicked"),
            Self::Taken { table, column } => write!(out, "{table}.{column} must be unique"),
            Self::Gone { column, id } => write!(out, "{column} refers to {id}, which is not there"),
            Self::Query(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Its text is this one's.
            Self::Query(error) => error.source(),
            _ => None,
        }
    }
}

impl Error {
    /// The same for each of those whom it hits together.
    pub(super) fn shared(&self) -> Self {
        match self {
            Self::Lost(reason) => Self::Lost(reason.clone()),
            Self::Unavailable(reason) => Self::Unavailable(reason.clone()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match &error {
            DieselError::DatabaseError(kind, info) if is_passing(*kind, info.as_ref()) => {
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

/// What an engine tells of an error.
type Information = dyn DatabaseErrorInformation + Send + Sync;

fn is_passing(kind: DatabaseErrorKind, info: &Information) -> bool {
    match kind {
        DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::SerializationFailure
        | DatabaseErrorKind::UnableToSendCommand => true,
        DatabaseErrorKind::Unknown => {
            is_passing_of_sqlite(info.message()) || is_deadlock(info.details().unwrap_or_default())
        }
        _ => false,
    }
}

/// Diesel hands on SQLite's text but not its code, so the texts of `SQLITE_BUSY`, `SQLITE_LOCKED`, `SQLITE_FULL` and
/// `SQLITE_IOERR` decide here. SQLite has them in English alone.
fn is_passing_of_sqlite(message: &str) -> bool {
    const PASSING: [&str; 4] = [
        "database is locked",
        "database table is locked",
        "database or disk is full",
        "disk I/O error",
    ];
    PASSING.iter().any(|text| message.contains(text)) || is_damage_of_sqlite(message)
}

/// Whether a file is not, or not any more, what SQLite wrote (`SQLITE_CORRUPT`, `SQLITE_NOTADB`): somebody has overwritten it, and may
/// put another one in its place.
pub(super) fn is_damage_of_sqlite(message: &str) -> bool {
    message.contains("database disk image is malformed")
        || message.contains("file is not a database")
}

/// Whether PostgreSQL refused a transaction because it and others waited for one another.
///
/// Diesel knows no kind for this SQLSTATE (40P01) and hands the code itself on to nobody, and the text is in the language of
/// the server. What is the same in every language is the shape of the detail: a line for each process of the circle, with its
/// number and that of the process which it waits for, so that each line has a number of the next one, and the last of the
/// first.
fn is_deadlock(detail: &str) -> bool {
    let processes: Vec<Vec<&str>> = detail.lines().map(numbers).collect();
    let next = processes.iter().cycle().skip(1);
    let waits = |(one, other): (&Vec<&str>, &Vec<&str>)| {
        one.iter().any(|number| other.contains(number)) && one != other
    };
    processes.len() > 1 && processes.iter().zip(next).all(waits)
}

fn numbers(text: &str) -> Vec<&str> {
    text.split(|character: char| !character.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .collect()
}

/// Table and column of a unique violation. SQLite names them in its text, PostgreSQL names the constraint, which is called
/// after them in every migration.
fn taken(info: &Information) -> Option<(String, String)> {
    if let Some(place) = info.message().strip_prefix("UNIQUE constraint failed: ") {
        let (table, column) = place.split(',').next()?.split_once('.')?;
        return Some((table.to_owned(), column.to_owned()));
    }
    let (table, constraint) = (info.table_name()?, info.constraint_name()?);
    let column = constraint.strip_prefix(table)?.strip_prefix('_')?;
    let column = column.strip_suffix("_unique").unwrap_or(column);
    Some((table.to_owned(), column.to_owned()))
}

/// Column and value of a reference to nothing, which only PostgreSQL tells: on SQLite no other write comes between a look and
/// the insert behind it. The constraint has the name that PostgreSQL gives it, `developers_company_id_fkey`; the value stands
/// in the detail as `(company_id)=(7)`, whatever the language of the words around it.
fn gone(info: &Information) -> Option<(String, String)> {
    let (table, constraint) = (info.table_name()?, info.constraint_name()?);
    let column = constraint.strip_prefix(table)?.strip_prefix('_')?;
    let column = column.strip_suffix("_fkey")?;
    let (_, value) = info.details()?.split_once(&format!("({column})=("))?;
    let (id, _) = value.split_once(')')?;
    Some((column.to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadlock_is_told_by_its_circle_in_any_language() {
        for detail in [
            "Process 4711 waits for ShareLock on transaction 901; blocked by process 4712.\n\
             Process 4712 waits for ShareLock on transaction 900; blocked by process 4711.",
            "Prozess 4711 wartet auf ShareLock-Sperre auf Transaktion 901; blockiert von Prozess 4712.\n\
             Prozess 4712 wartet auf ShareLock-Sperre auf Transaktion 900; blockiert von Prozess 4711.",
            "プロセス 4711 は ShareLock を トランザクション 901 で待機していましたが、プロセス 4712 でブロックされました\n\
             プロセス 4712 は ExclusiveLock を リレーション 16389 データベース 5 で待機していましたが、プロセス 4713 でブロックされました\n\
             プロセス 4713 は ShareLock を トランザクション 900 で待機していましたが、プロセス 4711 でブロックされました",
        ] {
            assert!(is_deadlock(detail), "{detail}");
        }
    }

    #[test]
    fn other_details_are_no_circle() {
        for detail in [
            "",
            "Key (company_id)=(7) is not present in table \"companies\".",
            "Failing row contains (7, Ada, 7).\nand more",
            "Process 4711 waits for ShareLock on transaction 901; blocked by process 4712.",
            "Process 4711 waits; blocked by process 4712.\nProcess 4713 waits; blocked by process 4714.",
            "7 of 8\n7 of 8",
        ] {
            assert!(!is_deadlock(detail), "{detail}");
        }
    }
}
