use std::cell::{Cell, RefCell};
use std::future::Future;
use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use diesel::connection::{Instrumentation, InstrumentationEvent};

use super::{DbConnection, Measures};

/// How many statements were run and how long they took, those that only open or end a transaction aside.
#[derive(Default)]
pub struct Tally {
    statements: AtomicU64,
    nanos: AtomicU64,
    /// Nanoseconds for which reads have held a connection.
    reading: AtomicU64,
    /// Who is told of that.
    at_end: Mutex<Vec<AtEnd>>,
    /// The right to a connection for reading, which the request shares with others.
    share: OnceLock<Arc<Semaphore>>,
}

type AtEnd = Box<dyn FnOnce(Duration) + Send>;

tokio::task_local! {
    /// Of the request that the task is about.
    static ASKING: Arc<Tally>;
}

thread_local! {
    /// Of the request that the thread is working for.
    static RUNNING: RefCell<Option<Arc<Tally>>> = const { RefCell::new(None) };
    /// Whether what the thread does is nobody's request.
    static UNCOUNTED: Cell<bool> = const { Cell::new(false) };
}

/// Does what a door asks of the database for itself, now and then: it is counted for no request.
pub fn uncounted<T>(work: impl FnOnce() -> T) -> T {
    UNCOUNTED.set(true);
    let value = work();
    UNCOUNTED.set(false);
    value
}

impl Tally {
    /// Does `work`, and tallies what it asks of the database, whichever threads do that.
    pub async fn during<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        ASKING.scope(self, work).await
    }

    /// Of the request that the task is about, if it is about one.
    pub fn asking() -> Option<Arc<Self>> {
        ASKING.try_with(Arc::clone).ok()
    }

    /// Tells `f` for how long the request's reads have held a connection, once that is known: a read may go on for a while
    /// when the request has been given up.
    pub fn at_end(&self, f: impl FnOnce(Duration) + Send + 'static) {
        let mut at_end = self.at_end.lock().unwrap_or_else(PoisonError::into_inner);
        at_end.push(Box::new(f));
    }

    /// Has the reads of the request wait for one of these permits each.
    pub fn share(&self, permits: Arc<Semaphore>) {
        let _ = self.share.set(permits);
    }

    /// The permits that the reads of the request wait for, if there are any.
    pub fn shared(&self) -> Option<Arc<Semaphore>> {
        self.share.get().cloned()
    }

    /// Notes for how long a read has held a connection.
    pub fn charge(&self, time: Duration) {
        self.reading.fetch_add(nanos(time), Ordering::Relaxed);
    }

    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub fn time(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    fn add(&self, time: Duration) {
        self.nanos.fetch_add(nanos(time), Ordering::Relaxed);
    }
}

/// When nobody can add to it any more.
impl Drop for Tally {
    fn drop(&mut self) {
        let time = Duration::from_nanos(*self.reading.get_mut());
        let at_end = self
            .at_end
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        at_end.drain(..).for_each(|f| f(time));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// `f`, whose statements are tallied for the request that asks for it here.
pub fn tallied<T>(f: impl FnOnce(&mut DbConnection) -> T) -> impl FnOnce(&mut DbConnection) -> T {
    let tally = Tally::asking();
    move |conn| tally_for(tally, || f(conn))
}

/// Does `work`, whose statements are tallied for a request.
pub fn tally_for<T>(tally: Option<Arc<Tally>>, work: impl FnOnce() -> T) -> T {
    let _back = Back(RUNNING.replace(tally));
    work()
}

/// Puts back for whom the thread was working, also when the work panics.
struct Back(Option<Arc<Tally>>);

impl Drop for Back {
    fn drop(&mut self) {
        RUNNING.set(self.0.take());
    }
}

/// Tallies the statements of a connection.
pub struct Counter {
    measures: Measures,
    /// The process of PostgreSQL's that works for the connection.
    #[cfg(feature = "postgres")]
    backend: Option<i32>,
    transaction_control: bool,
    started: Option<Instant>,
    /// Prepared statements that the connection keeps.
    kept: u32,
}

/// Prepared statements of one connection at most. Filters and orders can be combined to any number of them, and each takes memory.
const KEPT_MAX: u32 = 500;

impl Counter {
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "it is for PostgreSQL")
    )]
    pub fn new(measures: Measures, backend: Option<i32>) -> Self {
        Self {
            measures,
            #[cfg(feature = "postgres")]
            backend,
            transaction_control: false,
            started: None,
            kept: 0,
        }
    }

    /// Whether the connection keeps so many prepared statements that it is to be replaced by a new one.
    pub fn is_full(&self) -> bool {
        self.kept > KEPT_MAX
    }

    fn begin(&mut self) {
        #[cfg(feature = "postgres")]
        super::reading::note_backend(self.backend);
        self.started = Some(Instant::now());
        self.measures.statements.inc();
        RUNNING.with_borrow(|tally| {
            if let Some(tally) = tally {
                tally.statements.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    fn end(&mut self) {
        let Some(started) = self.started.take() else {
            return;
        };
        let time = started.elapsed();
        self.measures.statement_seconds.inc_by(time.as_secs_f64());
        RUNNING.with_borrow(|tally| {
            if let Some(tally) = tally {
                tally.add(time);
            }
        });
    }
}

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            // Each is followed by the one statement that carries it out.
            InstrumentationEvent::BeginTransaction { .. }
            | InstrumentationEvent::CommitTransaction { .. }
            | InstrumentationEvent::RollbackTransaction { .. } => self.transaction_control = true,
            InstrumentationEvent::StartQuery { .. }
                if !std::mem::take(&mut self.transaction_control) && !UNCOUNTED.get() =>
            {
                self.begin();
            }
            InstrumentationEvent::CacheQuery { .. } => self.kept += 1,
            InstrumentationEvent::FinishQuery { .. } => self.end(),
            _ => {}
        }
    }
}
