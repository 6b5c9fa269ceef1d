//! Pools of connections, of which each is made for one door.

use std::time::Duration;

use diesel::r2d2::{CustomizeConnection, ManageConnection, Pool, R2D2Connection};

use super::{Access, DbConnection, Error, Measures, Target, instrument::Counter};

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

pub fn pool(target: &Target, settings: Settings, size: u32) -> Result<Pool<Manager>, Error> {
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
pub struct Manager(Target);

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
    pub measures: Measures,
}

impl Settings {
    pub fn settle(&self, conn: &mut DbConnection) -> diesel::QueryResult<()> {
        use diesel::Connection;
        conn.settle(self.access)?;
        if let (Access::Read, Some(limit)) = (self.access, self.query_timeout) {
            conn.limit_statements(limit)?;
        }
        let backend = conn.backend()?;
        conn.set_instrumentation(Counter::new(self.measures.clone(), backend));
        Ok(())
    }
}

impl CustomizeConnection<DbConnection, diesel::r2d2::Error> for Settings {
    fn on_acquire(&self, conn: &mut DbConnection) -> Result<(), diesel::r2d2::Error> {
        self.settle(conn).map_err(diesel::r2d2::Error::QueryError)
    }
}
