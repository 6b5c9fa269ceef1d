use std::time::Duration;

use diesel::{
    Connection, ConnectionError, QueryResult, RunQueryDsl as _, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager},
    dsl::sql,
};

use super::{Error, Target, error::is_damage_of_sqlite, files, interrupt};

/// One connection to either engine: Diesel makes a backend of the two, so that models are written once.
#[derive(diesel::MultiConnection)]
pub enum DbConnection {
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// One snapshot for all its statements; a write in it fails.
    Read,
    /// On SQLite the write lock is taken at once: a transaction that reads first and asks for
    /// it later fails with "database is locked" whatever the timeout.
    Write,
}

/// How long a statement waits for another process's lock, in milliseconds.
const BUSY_TIMEOUT_MS: u32 = 5_000;

impl DbConnection {
    /// Connects to a database that is there, waiting for locks but otherwise with the engine's defaults, so that one that is
    /// not to be opened stays untouched.
    ///
    /// # Errors
    /// [`Error::Refused`] when it cannot be opened.
    pub fn connect(target: &Target) -> Result<Self, Error> {
        let refused = |error: ConnectionError| {
            let reason = target.without_password(&one_line(&error));
            Error::Refused(format!("cannot open {target}: {reason}"))
        };
        match target {
            Target::Sqlite(path) => {
                let refuse = |reason: &dyn std::fmt::Display| {
                    Error::Refused(format!("cannot open {target}: {reason}"))
                };
                let address =
                    files::address(path).ok_or_else(|| refuse(&"the path is not UTF-8"))?;
                files::may_be_database(path).map_err(|reason| refuse(&reason))?;
                interrupt::watch_connections();
                let mut conn = SqliteConnection::establish(&address).map_err(refused)?;
                conn.batch_execute(&format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"))?;
                let mut conn = Self::Sqlite(conn);
                // This shows whether the file is a database.
                conn.touch().map_err(|error| {
                    if is_damage_of_sqlite(&error.to_string()) {
                        return refuse(&error);
                    }
                    match Error::from(error) {
                        Error::Query(error) => refuse(&error),
                        passing => passing,
                    }
                })?;
                Ok(conn)
            }
            #[cfg(feature = "postgres")]
            Target::Postgres(url) => diesel::PgConnection::establish(url)
                .map(Self::Postgres)
                .map_err(refused),
        }
    }

    /// Reads a little of an embedded database, for SQLite opens files and finds faults only when it must.
    ///
    /// # Errors
    /// When it is none, or cannot be read.
    pub(super) fn touch(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute("PRAGMA schema_version"),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Settles the connection for one of the doors.
    ///
    /// The sizes are measured ones (`cargo bench --bench page`): a map of the file is no faster than the page cache, and
    /// under a map an I/O error would kill the process, so there is none; a reader gains nothing from more than 4 MiB; the
    /// writer's 64 MiB, which it takes only when it needs them, let a large import write each page once. The log is cut
    /// back to 16 MiB after a checkpoint, so that such an import does not occupy the disk for good. As much of it gathers before
    /// a checkpoint, for small commits write the same pages again and again. The copies of pages that a savepoint
    /// needs stay in memory: a few for a request, and none for an import, which is alone in its transaction.
    ///
    /// # Errors
    /// When a setting is refused, say because the file is no database.
    pub fn settle(&mut self, access: Access) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => {
                conn.batch_execute(
                    "PRAGMA journal_mode = WAL;
                     PRAGMA synchronous = FULL;
                     PRAGMA foreign_keys = ON;
                     PRAGMA journal_size_limit = 16777216;",
                )?;
                match access {
                    Access::Read => {
                        conn.batch_execute("PRAGMA cache_size = -4096; PRAGMA query_only = ON")
                    }
                    Access::Write => conn.batch_execute(
                        "PRAGMA cache_size = -65536;
                             PRAGMA temp_store = MEMORY;
                             PRAGMA wal_autocheckpoint = 4000;",
                    ),
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => match access {
                // What is compiled just in time cannot be ended while that lasts, and takes longer than these statements do.
                Access::Read => conn.batch_execute(
                    "SET default_transaction_read_only = on; SET jit = off; SET TIME ZONE 'UTC'",
                ),
                Access::Write => conn.batch_execute("SET jit = off; SET TIME ZONE 'UTC'"),
            },
        }
    }

    /// Has the engine itself end a statement that takes longer, also when this process is gone by then. SQLite works in this
    /// process.
    ///
    /// # Errors
    /// Those of the statement.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "it is for PostgreSQL")
    )]
    pub fn limit_statements(&mut self, limit: Duration) -> QueryResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.batch_execute(&format!(
                "SET statement_timeout = {}",
                limit.as_millis().clamp(1, i32::MAX as u128)
            )),
        }
    }

    /// The process of PostgreSQL's that works for this connection.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn backend(&mut self) -> QueryResult<Option<i32>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => {
                let process = sql::<diesel::sql_types::Integer>("pg_backend_pid()");
                diesel::select(process).get_result(conn).map(Some)
            }
        }
    }

    /// Lets no statement wait for a lock of another process.
    ///
    /// # Errors
    /// When the setting is refused.
    pub fn never_wait(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute("PRAGMA busy_timeout = 0"),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Whether nobody else can write before the end of a transaction that does.
    pub fn writes_alone(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => false,
        }
    }

    /// Begins the outermost transaction of a door.
    ///
    /// # Errors
    /// When the engine refuses, say because another process holds the write lock too long.
    pub fn begin(&mut self, access: Access) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(
                conn,
                match access {
                    Access::Read => "BEGIN",
                    Access::Write => "BEGIN IMMEDIATE",
                },
            ),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(
                conn,
                match access {
                    Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    Access::Write => "BEGIN",
                },
            ),
        }
    }

    /// # Errors
    /// When the engine cannot make the transaction durable; it is rolled back then.
    pub fn commit(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::commit_transaction(self)
    }

    /// # Errors
    /// When there is nothing left to roll back, because the engine has done so by itself.
    pub fn rollback(&mut self) -> QueryResult<()> {
        <Self as Connection>::TransactionManager::rollback_transaction(self)
    }

    /// Runs `f` in a transaction of its own: committed when it succeeds, rolled back when it fails.
    ///
    /// # Errors
    /// Those of `f` and of the transaction.
    pub fn within<T, E: From<Error>>(
        &mut self,
        access: Access,
        f: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin(access).map_err(Error::from)?;
        self.conclude(f)
    }

    /// Runs `f` in the transaction that has begun, and ends that as [`within`](Self::within) does.
    ///
    /// # Errors
    /// Those of `f` and of the transaction.
    pub(super) fn conclude<T, E: From<Error>>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        match f(self) {
            Ok(value) => self
                .commit()
                .map(|()| value)
                .map_err(|error| Error::from(error).into()),
            Err(error) => {
                // The first failure is the one to tell; a connection whose rollback fails is not used again.
                let _ = self.rollback();
                Err(error)
            }
        }
    }

    /// Holds the row of `table` with this id, so that nobody changes it between what this transaction reads and what it
    /// writes. SQLite has one writer, and the transaction is it.
    ///
    /// # Errors
    /// Those of the statement.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "SQLite sees to it by itself")
    )]
    pub fn hold(&mut self, table: &str, id: i64) -> QueryResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => {
                diesel::sql_query(format!("SELECT 1 FROM {table} WHERE id = $1 FOR UPDATE"))
                    .bind::<diesel::sql_types::BigInt, _>(id)
                    .execute(conn)
                    .map(|_| ())
            }
        }
    }

    /// Holds those rows of `table` that are there, as [`hold`](Self::hold) does, and returns their ids, ascending.
    ///
    /// # Errors
    /// Those of the statement.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "SQLite sees to it by itself")
    )]
    pub fn hold_all(&mut self, table: &str, ids: &[i64]) -> QueryResult<Vec<i64>> {
        match self {
            Self::Sqlite(_) => Ok(ids.to_vec()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => {
                use diesel::sql_types::{Array, BigInt};
                let held: Vec<Held> = diesel::sql_query(format!(
                    "SELECT id FROM {table} WHERE id = ANY($1) ORDER BY id FOR UPDATE"
                ))
                .bind::<Array<BigInt>, _>(ids)
                .load(conn)?;
                Ok(held.into_iter().map(|row| row.id).collect())
            }
        }
    }

    /// Keeps the ids that `table` will give beyond those it holds, after rows with ids of their own.
    ///
    /// # Errors
    /// Those of the statement.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "SQLite sees to it by itself")
    )]
    pub fn pass_ids(&mut self, table: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => conn.batch_execute(&format!(
                "SELECT setval(name, greatest((SELECT max(id) FROM {table}), nextval(name)))
                 FROM pg_get_serial_sequence('{table}', 'id') AS name"
            )),
        }
    }

    /// How many transactions and savepoints are open; `None` when the connection has lost count.
    pub(super) fn depth(&mut self) -> Option<u32> {
        match <Self as Connection>::TransactionManager::transaction_manager_status_mut(self)
            .transaction_depth()
        {
            Ok(depth) => Some(depth.map_or(0, std::num::NonZero::get)),
            Err(_) => None,
        }
    }

    /// Leaves a file that is quick to open: statistics for the planner, and the log merged into it.
    ///
    /// Of small tables there are none: a server may run for months on what was true of its first minute, and a planner that
    /// takes a table for tiny walks all of it when it has grown. Without statistics it takes every table for large.
    ///
    /// # Errors
    /// When the file cannot be written; nothing that was committed is lost by that.
    pub(super) fn tidy(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => {
                conn.batch_execute("PRAGMA optimize")?;
                if has_statistics(conn)? {
                    conn.batch_execute(&format!(
                        "DELETE FROM sqlite_stat1 WHERE CAST(stat AS INTEGER) < {SMALL}"
                    ))?;
                }
                conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }
}

/// A row that is held.
#[cfg(feature = "postgres")]
#[derive(diesel::QueryableByName)]
struct Held {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    id: i64,
}

/// Rows of a table that statistics are kept of.
const SMALL: u32 = 10_000;

fn has_statistics(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let table = "EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1')";
    diesel::select(sql::<diesel::sql_types::Bool>(table)).get_result(conn)
}

fn one_line(error: &ConnectionError) -> String {
    error
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
