//! Reads that end: when they take too long, and when nobody waits for them any more.

#[cfg(feature = "postgres")]
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{
    cell::RefCell,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};

use super::{DbConnection, Error, Tally, Target, pool::POOL_TIMEOUT};

thread_local! {
    /// The read that the thread works for.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Whether the thread works for a read that was ended. Never panics, for SQLite asks.
pub fn is_ended() -> bool {
    let asked = CURRENT.try_with(|current| {
        let current = current.try_borrow().ok()?;
        Some(current.as_ref()?.ended.load(Ordering::Relaxed))
    });
    asked.ok().flatten().unwrap_or(false)
}

/// Notes which process of PostgreSQL's works for the read of this thread.
#[cfg(feature = "postgres")]
pub fn note_backend(backend: Option<i32>) {
    CURRENT.with_borrow(|current| {
        if let (Some(current), Some(backend)) = (current, backend) {
            *lock(&current.backend) = Some(backend);
        }
    });
}

/// The right to one of the connections that the request of this task may have, when it shares them with others.
///
/// # Errors
/// [`Error::Unavailable`] when none comes free.
pub async fn share() -> Result<Option<OwnedSemaphorePermit>, Error> {
    let Some(share) = Tally::asking().and_then(|tally| tally.shared()) else {
        return Ok(None);
    };
    match timeout(POOL_TIMEOUT, share.acquire_owned()).await {
        Ok(Ok(permit)) => Ok(Some(permit)),
        _ => Err(Error::Unavailable(
            "too many reads of one address are waiting".to_owned(),
        )),
    }
}

/// One read, as the task that waits for it holds it. When this is dropped early, because the client has gone, the read ends.
pub struct Reading {
    shared: Arc<Shared>,
    limit: Option<Duration>,
    started: Option<oneshot::Receiver<()>>,
    #[cfg(feature = "postgres")]
    target: Target,
}

/// What the task that waits for a read shares with the thread that works for it.
#[derive(Default)]
struct Shared {
    begun: AtomicBool,
    ended: AtomicBool,
    done: AtomicBool,
    /// The process of PostgreSQL's that works for this read. As long as the lock is held it works for no other.
    #[cfg(feature = "postgres")]
    backend: Mutex<Option<i32>>,
}

impl Reading {
    /// A read that may take so long.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(
            unused_variables,
            reason = "PostgreSQL is told over a connection of its own"
        )
    )]
    pub fn new(limit: Option<Duration>, target: &Target) -> Self {
        Self {
            shared: Arc::default(),
            limit,
            started: None,
            #[cfg(feature = "postgres")]
            target: target.clone(),
        }
    }

    /// `f`, which ends with the read. Its time is charged to the request that asks for it here.
    pub fn bound<T, E, F>(
        &mut self,
        f: F,
    ) -> impl FnOnce(&mut DbConnection) -> Result<T, E> + use<T, E, F>
    where
        E: From<Error>,
        F: FnOnce(&mut DbConnection) -> Result<T, E>,
    {
        let (start, started) = oneshot::channel();
        self.started = Some(started);
        let (shared, limit, tally) = (self.shared.clone(), self.limit, Tally::asking());
        move |conn| {
            let work = Work::begin(&shared)?;
            let begun = Instant::now();
            let _ = start.send(());
            let result = f(conn);
            drop(work);
            let time = begun.elapsed();
            if let Some(tally) = tally {
                tally.charge(time);
            }
            let was_ended = shared.ended.load(Ordering::SeqCst);
            let is_over = was_ended || limit.is_some_and(|limit| time >= limit);
            result.map_err(|error| {
                if is_over {
                    Error::TooLong.into()
                } else {
                    error
                }
            })
        }
    }

    /// Waits for the work, from its beginning no longer than the limit.
    ///
    /// # Errors
    /// Those of the work, and [`Error::TooLong`].
    pub async fn wait<T, E: From<Error>>(
        mut self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let (Some(limit), Some(started)) = (self.limit, self.started.take()) else {
            return work.await;
        };
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            result = &mut work => return result,
            _ = started => {}
        }
        match timeout(limit, work).await {
            Ok(result) => result,
            Err(_) => Err(Error::TooLong.into()),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // What has not begun sees this before it does.
        self.shared.ended.store(true, Ordering::SeqCst);
        #[cfg(feature = "postgres")]
        if self.shared.is_running()
            && let Target::Postgres(_) = self.target
        {
            let (shared, target) = (self.shared.clone(), self.target.clone());
            // A thread of its own: those of the server may be ending, and the statement must not outlast them.
            let cancelling = std::thread::Builder::new().name("cancel".to_owned());
            if let Err(error) = cancelling.spawn(move || cancel(&shared, &target)) {
                tracing::warn!(%error, "a read could not be ended: there is no thread for that");
            }
        }
    }
}

/// The work for a read, on the thread that does it. When this is dropped the read is done, also by a panic.
struct Work {
    before: Option<Arc<Shared>>,
    shared: Arc<Shared>,
}

impl Work {
    /// # Errors
    /// [`Error::TooLong`] when the read was ended before.
    fn begin(shared: &Arc<Shared>) -> Result<Self, Error> {
        shared.begun.store(true, Ordering::SeqCst);
        let work = Self {
            before: CURRENT.replace(Some(shared.clone())),
            shared: shared.clone(),
        };
        if shared.ended.load(Ordering::SeqCst) {
            return Err(Error::TooLong);
        }
        Ok(work)
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
        // Behind a cancellation that is under way, so that none meets what the connection does next.
        #[cfg(feature = "postgres")]
        {
            *lock(&self.shared.backend) = None;
        }
        self.shared.done.store(true, Ordering::SeqCst);
    }
}

/// How often it is tried to end a read, and with what pause: a cancellation between two of its statements ends neither.
#[cfg(feature = "postgres")]
const TRIES: u32 = 50;
#[cfg(feature = "postgres")]
const PAUSE: Duration = Duration::from_millis(100);

/// Has PostgreSQL end what it does for the read, over a connection of its own: those of the pool may all be busy with such reads.
#[cfg(feature = "postgres")]
fn cancel(shared: &Shared, target: &Target) {
    use diesel::{RunQueryDsl as _, sql_types::Integer};
    let Ok(DbConnection::Postgres(mut other)) = DbConnection::connect(target) else {
        tracing::warn!("a read could not be ended: there is no other connection to PostgreSQL");
        return;
    };
    for _ in 0..TRIES {
        let backend = lock(&shared.backend);
        if !shared.is_running() {
            return;
        }
        if let Some(process) = *backend {
            let cancelled = diesel::sql_query("SELECT pg_cancel_backend($1)")
                .bind::<Integer, _>(process)
                .execute(&mut other);
            if let Err(error) = cancelled {
                tracing::warn!(%error, "a read could not be ended");
                return;
            }
        }
        drop(backend);
        std::thread::sleep(PAUSE);
    }
}

#[cfg(feature = "postgres")]
impl Shared {
    fn is_running(&self) -> bool {
        self.begun.load(Ordering::SeqCst) && !self.done.load(Ordering::SeqCst)
    }
}

#[cfg(feature = "postgres")]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
