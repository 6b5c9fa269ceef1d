//! `read` and `write`: the only ways to the database.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::Pool;

use super::{
    Access, DbConnection, Error, Measures, Readiness, Target,
    door::Door,
    files::FileId,
    gate::Gate,
    instrument::{Tally, tallied, tally_for},
    pool::{Manager, POOL_TIMEOUT, Settings, cores, pool, readers},
    prepare,
    reading::{self, Reading},
    standing::Standing,
    writer::Writer,
};

/// Writes have so many times the patience of reads: those who wait share a commit, and to try again costs a client more.
const WRITES: u32 = 10;

/// The database, for every room above it. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Db {
    pub(super) readers: Door,
    /// For [`Db::glance`]; none on an engine behind a network.
    glances: Option<Pool<Manager>>,
    pub(super) writer: Arc<Writer>,
    pub(super) standing: Arc<Standing>,
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

/// For a caller without a client that waits: a command or a test.
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
        let before = match target {
            Target::Sqlite(path) => FileId::of(path).ok(),
            #[cfg(feature = "postgres")]
            Target::Postgres(_) => None,
        };
        let mut conn = prepare(target, readiness)?;
        let settings = |access, waits| Settings {
            access,
            query_timeout: patience.query,
            waits,
            measures: measures.clone(),
        };
        settings(Access::Write, true)
            .settle(&mut conn)
            .and_then(|()| conn.touch())
            .map_err(|error| Error::Refused(format!("cannot open {target}: {error}")))?;
        let standing = Arc::new(Standing::new(target, before)?);
        let manager = |access, waits| Manager {
            target: target.clone(),
            settings: settings(access, waits),
            standing: standing.clone(),
        };
        let connections = self::readers();
        let readers = pool(manager(Access::Read, true), connections)?;
        let gate = Gate::new(patience.queue * WRITES, measures.wait("write"));
        let writing = manager(Access::Write, true);
        let (writer, glances) = match conn {
            DbConnection::Sqlite(_) => {
                let glances = pool(manager(Access::Read, false), cores())?;
                (Writer::group(conn, writing, gate)?, Some(glances))
            }
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(_) => {
                let door = Door::new(pool(writing, connections)?, gate);
                (Writer::Many(door), None)
            }
        };
        Ok(Self {
            readers: Door::new(readers, Gate::new(patience.queue, measures.wait("read"))),
            glances,
            writer: Arc::new(writer),
            standing,
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
        let share = reading::share().await?;
        let f = reading.bound(|conn| {
            let _share = share;
            f(conn)
        });
        let f = tallied(f);
        reading
            .wait(self.readers.enter(|door| door.within(Access::Read, f)))
            .await
    }

    /// Runs `f`, one statement of microseconds by a key, without a transaction of its own. On the embedded engine it is done
    /// at once on the calling thread, which costs less than going to another. What fails there, because it would have to wait for
    /// a lock say, is done again where it may wait.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn glance<T, E>(
        &self,
        f: impl Fn(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        if let Some(mut conn) = self.glances.as_ref().and_then(Pool::try_get)
            && let Ok(value) = tallied(&f)(&mut conn)
        {
            return Ok(value);
        }
        let tally = Tally::asking();
        self.readers
            .enter(move |door| tally_for(tally, || door.glance(f)))
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
        self.readers.within(Access::Read, f)
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
            Writer::Many(door) => {
                let f = checked(self.standing.clone(), f);
                door.enter(|door| door.within(Access::Write, f)).await
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
            Writer::Many(door) => {
                caught(|| door.within(Access::Write, checked(self.standing.clone(), f)))
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

/// `f`, once it is clear that it may write.
#[cfg(feature = "postgres")]
fn checked<T, E: From<Error>>(
    standing: Arc<Standing>,
    f: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> impl FnOnce(&mut DbConnection) -> Result<T, E> {
    move |conn| {
        standing.check_schema(conn)?;
        f(conn)
    }
}

/// Turns a panic of `f` into [`Error::Panicked`].
pub(super) fn caught<T, E: From<Error>>(f: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(Error::Panicked.into()))
}
