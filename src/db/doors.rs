//! `read` and `write`: the only ways to the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use diesel::r2d2::{CustomizeConnection, ManageConnection, Pool, R2D2Connection};

use tokio::{sync::Semaphore, time::timeout};

use super::{
    Access, DbConnection, Error, Readiness, Target, instrument::Counter, prepare, writer::Writer,
};

/// How long a request waits for a connection before it is told to come back.
const POOL_TIMEOUT: Duration = Duration::from_secs(5);

/// The database, for every room above it. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Db {
    readers: Pool<Manager>,
    /// For [`Db::glance`]; none on an engine behind a network.
    glances: Option<Pool<Manager>>,
    /// One a connection: who waits for one waits here, and holds no thread.
    permits: Arc<Semaphore>,
    writer: Arc<Writer>,
    statements: Arc<AtomicU64>,
}

impl Db {
    /// Opens the doors; see [`prepare`] for what becomes of a database that is not ready.
    ///
    /// # Errors
    /// [`Error::Refused`] when it cannot be opened, [`Error::Unavailable`] when it does not answer.
    pub fn open(target: &Target, readiness: Readiness) -> Result<Self, Error> {
        let statements = Arc::new(AtomicU64::new(0));
        let mut conn = prepare(target, readiness)?;
        let settings = Settings {
            access: Access::Write,
            statements: statements.clone(),
        };
        settings
            .settle(&mut conn)
            .map_err(|error| Error::Refused(format!("cannot open {target}: {error}")))?;
        let reading = Settings {
            access: Access::Read,
            statements: statements.clone(),
        };
        let readers = pool(target, reading.clone(), readers())?;
        let (writer, glances) = match conn {
            DbConnection::Sqlite(_) => {
                let glances = pool(target, reading, cores())?;
                (Writer::group(conn)?, Some(glances))
            }
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(_) => {
                (Writer::Pool(pool(target, settings, self::readers())?), None)
            }
        };
        let permits = Arc::new(Semaphore::new(readers.max_size() as usize));
        Ok(Self {
            permits,
            readers,
            glances,
            writer: Arc::new(writer),
            statements,
        })
    }

    /// Runs `f` on one snapshot of the database, off the async threads.
    ///
    /// # Errors
    /// Those of `f`, and [`Error::Unavailable`] when no connection comes free.
    pub async fn read<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.off_thread(|conn| conn.within(Access::Read, f)).await
    }

    /// Runs `f`, one statement of microseconds by a key, without a transaction of its own. On the embedded engine it is done
    /// at once on the calling thread, which costs less than going to another.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn glance<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match self.glances.as_ref().and_then(Pool::try_get) {
            Some(mut conn) => f(&mut conn),
            None => self.off_thread(f).await,
        }
    }

    /// Runs `f` with a connection of the readers' on a thread that may block.
    async fn off_thread<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let permit = timeout(POOL_TIMEOUT, self.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(Error::Unavailable("too many reads are waiting".to_owned()).into());
        };
        let readers = self.readers.clone();
        off_thread(move || {
            // Taken here, on the blocking thread, for taking can wait too.
            let result = f(&mut *readers.get().map_err(Error::from)?);
            drop(permit);
            result
        })
        .await
    }

    /// As [`Db::read`], for a thread that may block.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_blocking<T, E: From<Error>>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = self.readers.get().map_err(Error::from)?;
        conn.within(Access::Read, f)
    }

    /// Runs `f` in a transaction and answers when it is on disk. What `f` fails with is rolled back.
    ///
    /// # Errors
    /// Those of `f`; [`Error::Unavailable`] when the storage refuses, [`Error::Panicked`] when `f` does.
    pub async fn write<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.writer {
            Writer::Group(group) => group.submit(f)?.await.map_err(|_| Error::Panicked)?,
            #[cfg(feature = "postgres")]
            Writer::Pool(pool) => {
                let pool = pool.clone();
                off_thread(move || pool.get().map_err(Error::from)?.within(Access::Write, f)).await
            }
        }
    }

    /// As [`Db::write`], for a thread that may block.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.writer {
            Writer::Group(group) => group
                .submit(f)?
                .blocking_recv()
                .map_err(|_| Error::Panicked)?,
            #[cfg(feature = "postgres")]
            Writer::Pool(pool) => {
                caught(|| pool.get().map_err(Error::from)?.within(Access::Write, f))
            }
        }
    }

    /// How many statements were run so far, those that open and end transactions aside.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Lets what is being written finish and leaves the file tidy. Later writes are refused.
    pub fn close(&self) {
        self.writer.close();
    }
}

async fn off_thread<T, E>(f: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    tokio::task::spawn_blocking(f)
        .await
        .map_err(|_| Error::Panicked)?
}

/// Turns a panic of `f` into [`Error::Panicked`].
pub(super) fn caught<T, E: From<Error>>(f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(Error::Panicked.into()))
}

/// Connections of a pool. With more than cores the engine has work while answers are written; much more gains nothing.
pub fn readers() -> u32 {
    cores() * 2 + 2
}

fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(cores).unwrap_or(2)
}

fn pool(target: &Target, settings: Settings, size: u32) -> Result<Pool<Manager>, Error> {
    Ok(Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(POOL_TIMEOUT)
        // Once a checkout would double a detail's statements; a broken connection is dropped at its first failure.
        .test_on_check_out(false)
        .error_handler(Box::new(diesel::r2d2::NopErrorHandler))
        .connection_customizer(Box::new(settings))
        .build(Manager(target.clone()))?)
}

/// Makes connections for the pools. Diesel's own manager would let the enum guess the engine from the URL.
pub(super) struct Manager(Target);

impl ManageConnection for Manager {
    type Connection = DbConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<DbConnection, Self::Error> {
        DbConnection::connect(&self.0).map_err(|error| {
            diesel::r2d2::Error::ConnectionError(diesel::ConnectionError::BadConnection(
                error.to_string(),
            ))
        })
    }

    fn is_valid(&self, conn: &mut DbConnection) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut DbConnection) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// What every connection of a door is given when it is made.
#[derive(Debug, Clone)]
struct Settings {
    access: Access,
    statements: Arc<AtomicU64>,
}

impl Settings {
    fn settle(&self, conn: &mut DbConnection) -> diesel::QueryResult<()> {
        use diesel::Connection;
        conn.settle(self.access)?;
        conn.set_instrumentation(Counter::new(self.statements.clone()));
        Ok(())
    }
}

impl CustomizeConnection<DbConnection, diesel::r2d2::Error> for Settings {
    fn on_acquire(&self, conn: &mut DbConnection) -> Result<(), diesel::r2d2::Error> {
        self.settle(conn).map_err(diesel::r2d2::Error::QueryError)
    }
}
