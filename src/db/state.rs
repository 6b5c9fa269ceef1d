//! What is asked about the database as a whole.

use std::path::Path;

use super::{Db, Error, Target, files};

/// How much room the database takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub database: u64,
    /// Of the log that is still to be merged into the embedded database.
    pub wal: Option<u64>,
}

impl Db {
    /// Whether requests can be served: the database answers, is the one that was opened, has this binary's schema, and can be
    /// written to.
    ///
    /// # Errors
    /// [`Error::Lost`] when it is not so, [`Error::Unavailable`] when there is no answer.
    pub async fn ready(&self) -> Result<(), Error> {
        self.writer.check()?;
        self.standing.check_files()?;
        let standing = self.standing.clone();
        self.read(move |conn| standing.look_at_schema(conn)).await
    }

    /// # Errors
    /// When it cannot be told.
    pub fn size(&self) -> Result<Size, Error> {
        match self.target() {
            Target::Sqlite(path) => {
                let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
                Ok(Size {
                    database: size(path),
                    wal: Some(size(&files::beside(path, "-wal"))),
                })
            }
            #[cfg(feature = "postgres")]
            Target::Postgres(_) => self.read_blocking(|conn| {
                use diesel::{RunQueryDsl as _, dsl::sql, sql_types::BigInt};
                let size = sql::<BigInt>("pg_database_size(current_database())");
                let bytes: i64 = diesel::select(size).get_result(conn)?;
                Ok(Size {
                    database: bytes.unsigned_abs(),
                    wal: None,
                })
            }),
        }
    }
}
