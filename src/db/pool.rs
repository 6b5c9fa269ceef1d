//! Pools of connections, of which each is made for one door.

use std::{sync::Arc, time::Duration};

use diesel::r2d2::{ManageConnection, Pool, R2D2Connection};

use super::{
    Access, DbConnection, Error, Measures, Target, instrument::Counter, standing::Standing,
};

/// How long a request waits for a connection before it is told to come back.
pub const POOL_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections of a pool. With more than cores the engine has work while answers are written; much more gains nothing.
pub fn readers() -> u32 {
    cores() * 2
}

pub fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(cores).unwrap_or(2)
}

pub fn pool(manager: Manager, size: u32) -> Result<Pool<Manager>, Error> {
    Ok(Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .connection_timeout(POOL_TIMEOUT)
        // Once a checkout would double a detail's statements; a broken connection is dropped at its first failure.
        .test_on_check_out(false)
        .error_handler(Box::new(diesel::r2d2::NopErrorHandler))
        .build(manager)?)
}

/// Makes the connections of one door. Diesel's own manager would let the enum guess the engine from the URL.
#[derive(Clone)]
pub struct Manager {
    pub target: Target,
    pub settings: Settings,
    pub standing: Arc<Standing>,
}

impl Manager {
    /// A connection, settled, to the database that was opened and to no other that has its name now.
    ///
    /// # Errors
    /// As [`DbConnection::connect`], and [`Error::Lost`] when the path leads elsewhere.
    pub fn open(&self) -> Result<DbConnection, Error> {
        // Before it is opened, for SQLite would write the log that is there into the file that is there, even if the two do not belong together.
        self.standing.check_files()?;
        let mut conn = DbConnection::connect(&self.target)?;
        self.settings.settle(&mut conn)?;
        self.standing.check_files()?;
        Ok(conn)
    }
}

impl ManageConnection for Manager {
    type Connection = DbConnection;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<DbConnection, Self::Error> {
        self.open().map_err(|error| {
            diesel::r2d2::Error::ConnectionError(diesel::ConnectionError::BadConnection(
                error.to_string(),
            ))
        })
    }

    fn is_valid(&self, conn: &mut DbConnection) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut DbConnection) -> bool {
        std::thread::panicking() || conn.is_broken() || is_full(conn)
    }
}

fn is_full(conn: &mut DbConnection) -> bool {
    use diesel::Connection;
    let counter = conn.instrumentation().downcast_ref::<Counter>();
    counter.is_some_and(Counter::is_full)
}

/// What every connection of a door is given when it is made.
#[derive(Debug, Clone)]
pub struct Settings {
    pub access: Access,
    /// How long a read may take.
    pub query_timeout: Option<Duration>,
    /// Whether a statement may wait for a lock of another process.
    pub waits: bool,
    pub measures: Measures,
}

impl Settings {
    pub fn settle(&self, conn: &mut DbConnection) -> diesel::QueryResult<()> {
        use diesel::Connection;
        conn.settle(self.access)?;
        if !self.waits {
            conn.never_wait()?;
        }
        if let (Access::Read, Some(limit)) = (self.access, self.query_timeout) {
            conn.limit_statements(limit)?;
        }
        let backend = conn.backend()?;
        conn.set_instrumentation(Counter::new(self.measures.clone(), backend));
        Ok(())
    }
}
