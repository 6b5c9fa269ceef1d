//! Whether the database behind the doors is still the one that was opened, with the schema of this binary.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    DbConnection, Error, Target,
    files::{FileId, Files},
    instrument::uncounted,
    migrations,
};

/// How long a look at the schema is good for.
const FRESH: Duration = Duration::from_secs(1);

/// What is known of the database that was opened, and what was last seen of it.
pub struct Standing {
    target: Target,
    /// Of an embedded database.
    files: Option<Files>,
    seen: Mutex<Seen>,
}

/// Why nothing may be written, if nothing may.
struct Seen {
    files: Option<String>,
    schema: Option<String>,
    /// When the schema was last looked at.
    at: Instant,
}

impl Standing {
    /// Of a database that is open, that has been read, and whose schema is current. An embedded one had `before` at its path
    /// before it was opened, if it was there already.
    ///
    /// # Errors
    /// [`Error::Refused`] when it was taken away or replaced while it was being opened.
    pub fn new(target: &Target, before: Option<FileId>) -> Result<Self, Error> {
        let refused = |reason: &str| Error::Refused(format!("cannot open {target}: {reason}"));
        let files = match target {
            Target::Sqlite(path) => {
                Some(Files::of(path).map_err(|error: io::Error| refused(&error.to_string()))?)
            }
            #[cfg(feature = "postgres")]
            Target::Postgres(_) => None,
        };
        let opened = files.as_ref().map(Files::database);
        if before.is_some() && before != opened {
            return Err(refused("it was replaced while it was being opened"));
        }
        Ok(Self {
            target: target.clone(),
            files,
            seen: Mutex::new(Seen {
                files: None,
                schema: None,
                at: Instant::now(),
            }),
        })
    }

    /// Whether the files of an embedded database are in their places: three calls of `stat`, before each commit.
    ///
    /// # Errors
    /// [`Error::Lost`] when they are not.
    pub fn check_files(&self) -> Result<(), Error> {
        let Some(files) = &self.files else {
            return Ok(());
        };
        let found = files.are_in_place();
        self.note(&mut self.seen().files, &found);
        found
    }

    /// Whether the schema is this binary's, in the transaction of a write: a look a second, however many write.
    ///
    /// # Errors
    /// [`Error::Lost`] when it is not, say because a newer binary has migrated the database.
    pub fn check_schema(&self, conn: &mut DbConnection) -> Result<(), Error> {
        let mut seen = self.seen();
        if seen.at.elapsed() < FRESH {
            return seen
                .schema
                .clone()
                .map_or(Ok(()), |why| Err(Error::Lost(why)));
        }
        // The others go by what is known until it has been looked at.
        seen.at = Instant::now();
        drop(seen);
        uncounted(|| self.look_at_schema(conn))
    }

    /// As [`check_schema`](Self::check_schema), at once.
    ///
    /// # Errors
    /// As [`check_schema`](Self::check_schema).
    pub fn look_at_schema(&self, conn: &mut DbConnection) -> Result<(), Error> {
        let found = migrations::must_be_current(conn);
        self.note(&mut self.seen().schema, &found);
        found
    }

    /// Keeps what was found, and writes one line into the log when that is news.
    fn note(&self, known: &mut Option<String>, found: &Result<(), Error>) {
        let database = &self.target;
        match (&known, found) {
            (None, Err(Error::Lost(reason))) => {
                tracing::error!(%database, "nothing is written any more: {reason}");
                *known = Some(reason.clone());
            }
            (Some(_), Err(Error::Lost(reason))) => *known = Some(reason.clone()),
            (Some(reason), Ok(())) => {
                tracing::info!(%database, "it is written to again, for this is over: {reason}");
                *known = None;
            }
            _ => {}
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
