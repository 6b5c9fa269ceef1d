//! What is asked about the database as a whole.

use std::path::Path;

use super::{Db, Error, Target, files, migrations};

/// How much room the database takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub database: u64,
    /// Of the log that is still to be merged into the embedded database.
    pub wal: Option<u64>,
}

impl Db {
    /// Whether requests can be served: the database answers, and its schema is this binary's.
    ///
    /// # Errors
    /// [`Error::Refused`] for another schema, [`Error::Unavailable`] when there is no answer.
    pub async fn ready(&self) -> Result<(), Error> {
        let target = self.target().clone();
        self.read(move |conn| migrations::must_be_current(conn, &target))
            .await
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
