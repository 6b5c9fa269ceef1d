//! `read` and `write`: the only ways to the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::Pool;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Access, DbConnection, Error, Measures, Readiness, Target,
    gate::Gate,
    instrument::tallied,
    pool::{Manager, POOL_TIMEOUT, Settings, cores, pool, readers},
    prepare,
    reading::Reading,
    writer::Writer,
};

/// Writes have so many times the patience of reads: those who wait share a commit, and to try again costs a client more.
const WRITES: u32 = 10;

/// The database, for every room above it. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Db {
    readers: Pool<Manager>,
    /// For [`Db::glance`]; none on an engine behind a network.
    glances: Option<Pool<Manager>>,
    /// One a connection: who waits for one waits here, and holds no thread.
    permits: Arc<Semaphore>,
    gate: Arc<Gate>,
    writer: Arc<Writer>,
    query_timeout: Option<Duration>,
    target: Target,
    measures: Measures,
}

/// How long requests wait for the database.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Once more reads wait than can be served in this time, or more writes than in ten times as long, new ones are told at
    /// once to come back.
    pub queue: Duration,
    /// A read that takes longer is ended.
    pub query: Option<Duration>,
}

/// That of whoever has nobody behind: a command, or a test.
impl Default for Patience {
    fn default() -> Self {
        Self {
            queue: POOL_TIMEOUT,
            query: None,
        }
    }
}

impl Db {
    /// Opens the doors; see [`prepare`] for what becomes of a database that is not ready.
    ///
    /// # Errors
    /// [`Error::Refused`] when it cannot be opened, [`Error::Unavailable`] when it does not answer.
    pub fn open(target: &Target, readiness: Readiness) -> Result<Self, Error> {
        Self::open_patient(target, readiness, Patience::default())
    }

    /// As [`Db::open`], with [`Patience`] of its own.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open_patient(
        target: &Target,
        readiness: Readiness,
        patience: Patience,
    ) -> Result<Self, Error> {
        let measures = Measures::new()?;
        let mut conn = prepare(target, readiness)?;
        let settings = |access| Settings {
            access,
            query_timeout: patience.query,
            measures: measures.clone(),
        };
        settings(Access::Write)
            .settle(&mut conn)
            .map_err(|error| Error::Refused(format!("cannot open {target}: {error}")))?;
        let readers = pool(target, settings(Access::Read), self::readers())?;
        let gate = Gate::new(patience.queue * WRITES, measures.wait("write"));
        let (writer, glances) = match conn {
            DbConnection::Sqlite(_) => {
                let glances = pool(target, settings(Access::Read), cores())?;
                let groups = measures.group_size.clone();
                (Writer::group(conn, gate, groups)?, Some(glances))
            }
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(_) => {
                let writers = pool(target, settings(Access::Write), self::readers())?;
                (Writer::Pool(writers, gate), None)
            }
        };
        Ok(Self {
            permits: Arc::new(Semaphore::new(readers.max_size() as usize)),
            gate: Gate::new(patience.queue, measures.wait("read")),
            readers,
            glances,
            writer: Arc::new(writer),
            query_timeout: patience.query,
            target: target.clone(),
            measures,
        })
    }

    /// Runs `f` on one snapshot of the database, off the async threads. It ends when it takes too long, and when what is returned
    /// is dropped.
    ///
    /// # Errors
    /// Those of `f`, [`Error::Unavailable`] when no connection comes free, and [`Error::TooLong`].
    pub async fn read<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let mut reading = Reading::new(self.query_timeout, &self.target);
        let f = reading.bound(f);
        reading
            .wait(self.off_thread(|conn| conn.within(Access::Read, f)))
            .await
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
            Some(mut conn) => tallied(f)(&mut conn),
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
        let permit = self.permit().await?;
        let (readers, f) = (self.readers.clone(), tallied(f));
        off_thread(move || {
            // Taken here, on the blocking thread, for taking can wait too.
            let result = f(&mut *readers.get().map_err(Error::from)?);
            drop(permit);
            result
        })
        .await
    }

    /// The right to one of the readers' connections.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            self.gate.pass();
            return Ok(permit);
        }
        let _waiting = self.gate.enter()?;
        match timeout(POOL_TIMEOUT, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::Unavailable("too many reads are waiting".to_owned())),
        }
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
        let f = tallied(f);
        match &*self.writer {
            Writer::Group(group) => group.submit(f)?.await.map_err(|_| Error::Panicked)?,
            #[cfg(feature = "postgres")]
            Writer::Pool(pool, gate) => {
                let (pool, waiting) = (pool.clone(), gate.enter()?);
                off_thread(move || {
                    let conn = pool.get();
                    drop(waiting);
                    conn.map_err(Error::from)?.within(Access::Write, f)
                })
                .await
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
            Writer::Pool(pool, _) => {
                caught(|| pool.get().map_err(Error::from)?.within(Access::Write, f))
            }
        }
    }

    /// How many statements were run so far, those that open and end transactions aside.
    pub fn statements(&self) -> u64 {
        self.measures.statements.get()
    }

    /// What is measured at the doors.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Where it is.
    pub fn target(&self) -> &Target {
        &self.target
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
