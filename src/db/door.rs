//! A pool of connections, and the queue before it.

use std::sync::Arc;

use diesel::{
    connection::SimpleConnection as _,
    r2d2::{Pool, PooledConnection, R2D2Connection as _},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Access, DbConnection, Error,
    gate::Gate,
    pool::{Manager, POOL_TIMEOUT},
};

/// A clone is another handle on the same one.
#[derive(Clone)]
pub struct Door {
    pool: Pool<Manager>,
    /// One per connection. Waiting for a permit blocks no thread.
    permits: Arc<Semaphore>,
    gate: Arc<Gate>,
}

impl Door {
    pub fn new(pool: Pool<Manager>, gate: Arc<Gate>) -> Self {
        let permits = Arc::new(Semaphore::new(pool.max_size() as usize));
        Self {
            pool,
            permits,
            gate,
        }
    }

    /// Does `work` on a thread that may block, once there is a connection for it.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Unavailable`] when too many wait already or no connection comes free.
    pub async fn enter<T, E>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let permit = self.permit().await?;
        let door = self.clone();
        let work = move || {
            let result = work(&door);
            drop(permit);
            result
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Error::Panicked)?
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            self.gate.pass();
            return Ok(permit);
        }
        let waiting = self.gate.enter()?;
        match timeout(POOL_TIMEOUT, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => {
                waiting.served();
                Ok(permit)
            }
            _ => Err(Error::Unavailable("no connection came free".to_owned())),
        }
    }

    /// Runs `f` in a transaction, which begins on a connection that works. May block.
    ///
    /// # Errors
    /// Those of `f`, and [`Error::Unavailable`] when there is no connection.
    pub fn within<T, E: From<Error>>(
        &self,
        access: Access,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = |conn: &mut DbConnection| conn.begin(access).map_err(Error::from);
        let (mut conn, ()) = self.attempt(begin)?;
        conn.conclude(f)
    }

    /// Runs `f`, which only reads, without a transaction of its own. May block.
    ///
    /// # Errors
    /// As [`within`](Self::within).
    pub fn glance<T, E: From<Error>>(
        &self,
        f: impl Fn(&mut DbConnection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.attempt(f).map(|(_, value)| value)
    }

    /// Does `work`, which leaves no trace when it fails, and does it again as long as the connection turns out to be broken:
    /// when the server of the database was started anew, all that are in the pool are.
    fn attempt<T, E: From<Error>>(
        &self,
        work: impl Fn(&mut DbConnection) -> Result<T, E>,
    ) -> Result<(PooledConnection<Manager>, T), E> {
        let mut spare = self.pool.max_size();
        loop {
            let mut conn = self.pool.get().map_err(Error::from)?;
            match work(&mut conn) {
                Ok(value) => return Ok((conn, value)),
                Err(_) if is_broken(&mut conn) && spare > 0 => spare -= 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether the connection is of no use any more. Diesel does not notice it when a query fails to be prepared, but does by this.
fn is_broken(conn: &mut DbConnection) -> bool {
    let _ = conn.batch_execute("SELECT 1");
    conn.is_broken()
}
