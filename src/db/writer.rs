//! The writer of the embedded engine: one connection, one thread, and one commit for all who wait together.

use std::sync::{
    Arc, Mutex, PoisonError,
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};
use std::thread::JoinHandle;

use prometheus::Histogram;
use tokio::sync::oneshot;

use super::{Access, DbConnection, Error, doors::caught, gate::Gate};

/// Writes that may wait; more are told at once to come back.
const QUEUE: usize = 1024;
/// Writes that share one commit at most, so that the first of them does not wait without end.
const GROUP: usize = 256;
/// How much nicer the writer is than the others: beside a busy one it gets a tenth of a processor, and all of one that is idle.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How the write door works on each engine.
pub enum Writer {
    /// SQLite has one writer: see [`Group`].
    Group(Group),
    /// PostgreSQL has many, and groups their commits itself.
    #[cfg(feature = "postgres")]
    Pool(diesel::r2d2::Pool<super::pool::Manager>, Arc<Gate>),
}

impl Writer {
    /// Gives `conn` to a thread of its own, behind `gate`; `sizes` tells how many share a commit.
    pub fn group(conn: DbConnection, gate: Arc<Gate>, sizes: Histogram) -> Result<Self, Error> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || run(conn, &queue, &sizes))
            .map_err(|error| Error::Unavailable(format!("no thread for the writer: {error}")))?;
        Ok(Self::Group(Group {
            gate,
            jobs,
            thread: Mutex::new(Some(thread)),
        }))
    }

    pub fn close(&self) {
        match self {
            Self::Group(group) => group.close(),
            #[cfg(feature = "postgres")]
            Self::Pool(..) => {}
        }
    }
}

/// The queue before the writer's thread.
pub struct Group {
    gate: Arc<Gate>,
    jobs: SyncSender<Message>,
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
            drop(waiting);
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

fn run(mut conn: DbConnection, queue: &Receiver<Message>, sizes: &Histogram) {
    give_way();
    while let Ok(Message::Job(first)) = queue.recv() {
        if commit_group(&mut conn, first, queue, sizes) == Next::Close {
            break;
        }
    }
    if let Err(error) = conn.tidy() {
        tracing::warn!(%error, "the database could not be tidied at the end");
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

#[derive(PartialEq)]
enum Next {
    Group,
    Close,
}

/// Does `first` and all that waits behind it in one transaction, and answers when it is on disk.
fn commit_group(
    conn: &mut DbConnection,
    first: Job,
    queue: &Receiver<Message>,
    sizes: &Histogram,
) -> Next {
    let mut group = Vec::new();
    let mut next = Next::Group;
    let mut waiting = Some(first);
    let mut begun = conn.begin(Access::Write).map_err(Error::from);
    let mut undo = Undo::Transaction;
    while let Some(job) = waiting.take() {
        let done = job(match &begun {
            Ok(()) => intact(conn).map(|conn| (conn, undo)),
            Err(error) => Err(Error::Unavailable(error.to_string())),
        });
        if done.succeeded {
            undo = Undo::Savepoint;
        } else if undo == Undo::Transaction && begun.is_ok() {
            begun = conn.begin(Access::Write).map_err(Error::from);
        }
        group.push(done);
        if group.len() < GROUP {
            match queue.try_recv() {
                Ok(Message::Job(job)) => waiting = Some(job),
                Ok(Message::Close) => next = Next::Close,
                Err(_) => {}
            }
        }
    }
    sizes.observe(u32::try_from(group.len()).map_or(f64::MAX, f64::from));
    let outcome = match begun {
        Ok(()) => finish(conn, group.iter().any(|done| done.succeeded)),
        Err(error) => Err(error),
    };
    for done in group {
        (done.answer)(match &outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::Unavailable(error.to_string())),
        });
    }
    next
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

/// Commits the group's transaction when there is anything in it.
fn finish(conn: &mut DbConnection, anything: bool) -> Result<(), Error> {
    let outcome = match conn.depth() {
        Some(1) if anything => conn.commit().map_err(Error::from),
        Some(1) => conn.rollback().map_err(Error::from),
        _ => Err(Error::Unavailable("the storage refused a write".to_owned())),
    };
    if outcome.is_err() {
        roll_back_to(conn, 0);
    }
    outcome
}
