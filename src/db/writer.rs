//! The writer of the embedded engine: one connection, one thread, and one commit for all who wait together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
    mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Access, DbConnection, Error, doors::caught, gate::Gate, pool::Manager};

/// Writes that may wait; more are told at once to come back.
const QUEUE: usize = 1024;
/// Writes that share one commit at most, so that the first of them does not wait without end.
const GROUP: usize = 256;
/// How much nicer the writer is than the others: beside a busy one it gets a tenth of a processor, and all of one that is idle.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How long the writer waits before it tries again to replace a connection that is broken.
const RETRY: Duration = Duration::from_secs(1);

/// How the write door works on each engine.
pub enum Writer {
    /// SQLite has one writer: see [`Group`].
    Group(Group),
    /// PostgreSQL has many, and groups their commits itself.
    #[cfg(feature = "postgres")]
    Many(super::door::Door),
}

impl Writer {
    /// Gives `conn` to a thread of its own, behind `gate`; `manager` makes another when that one breaks.
    pub fn group(conn: DbConnection, manager: Manager, gate: Arc<Gate>) -> Result<Self, Error> {
        let (jobs, queue) = sync_channel(QUEUE);
        let broken = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            conn,
            manager,
            broken: broken.clone(),
            tried: None,
            closing: false,
        };
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || worker.run(&queue))
            .map_err(|error| Error::Unavailable(format!("no thread for the writer: {error}")))?;
        Ok(Self::Group(Group {
            gate,
            jobs,
            broken,
            thread: Mutex::new(Some(thread)),
        }))
    }

    /// Whether anybody is there to write, and has something to write with.
    ///
    /// # Errors
    /// [`Error::Lost`] when it is not so.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Group(group) => group.check(),
            // A connection that is broken is replaced when it is asked for.
            #[cfg(feature = "postgres")]
            Self::Many(_) => Ok(()),
        }
    }

    pub fn close(&self) {
        match self {
            Self::Group(group) => group.close(),
            #[cfg(feature = "postgres")]
            Self::Many(_) => {}
        }
    }
}

/// The queue before the writer's thread.
pub struct Group {
    gate: Arc<Gate>,
    jobs: SyncSender<Message>,
    broken: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Group {
    /// Queues `f`. Its result comes when it is on disk, or when it has been undone.
    pub fn submit<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, E>>, Error>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let waiting = self.gate.enter()?;
        let f = move |conn: &mut DbConnection| {
            waiting.served();
            f(conn)
        };
        self.jobs
            .try_send(Message::Job(job(f, reply)))
            .map_err(|error| match error {
                TrySendError::Full(_) => {
                    Error::Unavailable("too many writes are waiting".to_owned())
                }
                TrySendError::Disconnected(_) => {
                    Error::Unavailable("it is being closed".to_owned())
                }
            })?;
        Ok(result)
    }

    fn check(&self) -> Result<(), Error> {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = |why: &str| Err(Error::Lost(why.to_owned()));
        match &*thread {
            None => lost("the database is being closed"),
            Some(thread) if thread.is_finished() => lost("the writer's thread has ended"),
            Some(_) if self.broken.load(Ordering::Relaxed) => {
                lost("the writer has no connection that works")
            }
            Some(_) => Ok(()),
        }
    }

    fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // Behind everything that was queued before.
            let _ = self.jobs.send(Message::Close);
            let _ = thread.join();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.close();
    }
}

enum Message {
    Job(Job),
    Close,
}

/// Does the work in the group's transaction, or takes the reason why there is none.
type Job = Box<dyn FnOnce(Result<(&mut DbConnection, Undo), Error>) -> Done + Send>;

/// How work that fails is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// There is nothing else in the transaction, so all of it goes.
    Transaction,
    /// A savepoint keeps what others did before. It costs a copy of every page that the work touches.
    Savepoint,
}

/// Work that is done but not yet durable: `answer` is called once it is known whether it became so.
struct Done {
    succeeded: bool,
    answer: Box<dyn FnOnce(Result<(), Error>)>,
}

fn job<T, E>(
    f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    reply: oneshot::Sender<Result<T, E>>,
) -> Job
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    Box::new(move |conn| {
        let result = match conn {
            Ok((conn, Undo::Transaction)) => in_transaction(conn, f),
            Ok((conn, Undo::Savepoint)) => in_savepoint(conn, f),
            Err(error) => Err(error.into()),
        };
        Done {
            succeeded: result.is_ok(),
            answer: Box::new(move |committed| {
                let result = match committed {
                    Err(error) if result.is_ok() => Err(error.into()),
                    _ => result,
                };
                // A client that has gone away does not undo its write.
                let _ = reply.send(result);
            }),
        }
    })
}

/// Runs `f` so that its failure or panic undoes the transaction.
fn in_transaction<T, E: From<Error>>(
    conn: &mut DbConnection,
    f: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    let result = caught(|| f(conn));
    if result.is_err() {
        roll_back_to(conn, 0);
    }
    result
}

/// Runs `f` so that its failure or panic undoes what it did and nothing else.
fn in_savepoint<T, E: From<Error>>(
    conn: &mut DbConnection,
    f: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    use diesel::connection::TransactionManager;
    DbConnection::begin_transaction(conn).map_err(Error::from)?;
    let result = caught(|| f(conn));
    if result.is_ok() {
        conn.commit().map_err(Error::from)?;
    } else {
        // A panic may have left savepoints of its own open.
        roll_back_to(conn, 1);
    }
    result
}

/// Rolls back until `depth` transactions are open, or until the connection cannot follow any more.
fn roll_back_to(conn: &mut DbConnection, depth: u32) {
    while conn.depth().is_some_and(|open| open > depth) && conn.rollback().is_ok() {}
}

/// What the writer's thread works with.
struct Worker {
    conn: DbConnection,
    manager: Manager,
    /// Whether the connection has failed as one that works does not.
    broken: Arc<AtomicBool>,
    /// When it was last tried to replace it.
    tried: Option<Instant>,
    closing: bool,
}

impl Worker {
    fn run(mut self, queue: &Receiver<Message>) {
        give_way();
        while !self.closing {
            if self.is_broken() && self.tried.is_none_or(|at| at.elapsed() >= RETRY) {
                self.replace_connection();
            }
            match self.next(queue) {
                Ok(Message::Job(first)) => self.do_group(first, queue),
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        if let Err(error) = self.conn.tidy() {
            tracing::warn!(%error, "the database could not be tidied at the end");
        }
    }

    /// Waits for work; with a broken connection not for longer than until it is to be replaced.
    fn next(&self, queue: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        if self.is_broken() {
            queue.recv_timeout(RETRY)
        } else {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        }
    }

    /// A panic in there is no request's, for theirs are caught: whatever it has left behind, the thread goes on without it.
    fn do_group(&mut self, first: Job, queue: &Receiver<Message>) {
        let done = catch_unwind(AssertUnwindSafe(|| self.commit_group(first, queue)));
        if done.is_err() {
            self.break_down("the writer panicked");
        }
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    fn break_down(&mut self, reason: &str) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!(
                reason,
                "the writer's connection is broken and will be replaced"
            );
        }
        self.replace_connection();
    }

    /// The old connection is held until there is a new one: the log and its index belong to those who have the database open,
    /// and would be removed with the last of them.
    fn replace_connection(&mut self) {
        self.tried = Some(Instant::now());
        match self.manager.open() {
            Ok(conn) => {
                self.conn = conn;
                self.broken.store(false, Ordering::Relaxed);
                tracing::info!("the writer has a new connection");
            }
            Err(error) => tracing::debug!(%error, "the writer's connection cannot be replaced"),
        }
    }

    /// Does `first` and all that waits behind it in one transaction, and answers when it is on disk.
    fn commit_group(&mut self, first: Job, queue: &Receiver<Message>) {
        let mut group = Vec::new();
        let mut waiting = Some(first);
        let mut begun = self.begin();
        let mut undo = Undo::Transaction;
        while let Some(job) = waiting.take() {
            let done = job(match &begun {
                Ok(()) => intact(&mut self.conn).map(|conn| (conn, undo)),
                Err(error) => Err(error.shared()),
            });
            if done.succeeded {
                undo = Undo::Savepoint;
            } else if undo == Undo::Transaction && begun.is_ok() {
                begun = self.conn.begin(Access::Write).map_err(Error::from);
            }
            group.push(done);
            if group.len() < GROUP {
                match queue.try_recv() {
                    Ok(Message::Job(job)) => waiting = Some(job),
                    Ok(Message::Close) => self.closing = true,
                    Err(_) => {}
                }
            }
        }
        let sizes = &self.manager.settings.measures.group_size;
        sizes.observe(u32::try_from(group.len()).map_or(f64::MAX, f64::from));
        let anything = group.iter().any(|done| done.succeeded);
        let outcome = begun.and_then(|()| self.finish(anything));
        // Before the clients are answered: a client that hears of the failure may ask for readiness at once.
        match &outcome {
            Err(error) if is_of_connection(error) => self.break_down(&error.to_string()),
            _ if self.conn.depth() != Some(0) => self.break_down("a transaction cannot be ended"),
            _ => {}
        }
        for Done { answer, .. } in group {
            let outcome = outcome.as_ref().copied().map_err(Error::shared);
            // A result that nobody waits for any more is dropped here, and what panics then is nobody else's.
            if catch_unwind(AssertUnwindSafe(|| answer(outcome))).is_err() {
                tracing::error!("the result of a write panicked");
            }
        }
    }

    /// Begins the group's transaction in a database that may be written to.
    fn begin(&mut self) -> Result<(), Error> {
        if self.is_broken() {
            return Err(Error::Unavailable(
                "the writer has no connection that works".to_owned(),
            ));
        }
        self.conn.begin(Access::Write)?;
        let may = self.manager.standing.check_schema(&mut self.conn);
        if may.is_err() {
            roll_back_to(&mut self.conn, 0);
        }
        may
    }

    /// Commits the group's transaction when there is anything in it.
    fn finish(&mut self, anything: bool) -> Result<(), Error> {
        let outcome = match self.conn.depth() {
            Some(1) if anything => self
                .manager
                .standing
                .check_files()
                .and_then(|()| Ok(self.conn.commit()?)),
            Some(1) => self.conn.rollback().map_err(Error::from),
            _ => Err(Error::Unavailable("the storage refused a write".to_owned())),
        };
        if outcome.is_err() {
            roll_back_to(&mut self.conn, 0);
        }
        outcome
    }
}

/// The connection, as long as the group's transaction is still open: a full disk makes SQLite end it.
fn intact(conn: &mut DbConnection) -> Result<&mut DbConnection, Error> {
    match conn.depth() {
        Some(1) => Ok(conn),
        _ => Err(Error::Unavailable(
            "the storage refused a write before this one".to_owned(),
        )),
    }
}

/// Whether a transaction that could not begin or end is the fault of the connection, and not of a lock or a full disk.
fn is_of_connection(error: &Error) -> bool {
    match error {
        Error::Query(_) => true,
        Error::Unavailable(reason) => reason.contains("disk I/O error"),
        _ => false,
    }
}

/// Lets the threads that serve go first where the processors are short: the longer a group waits for one the more writes share
/// its commit, so that the reads gain more than the writes lose.
fn give_way() {
    // On Linux a thread has a niceness of its own (nice(2), "C library/kernel differences"); elsewhere it is the process's.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the writer keeps the priority of the others");
    }
}
