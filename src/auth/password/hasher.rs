use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{Kind, PasswordHash};
use crate::error::Error;

/// How long a request waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes off the async threads, on half of the cores at most: a flood of sign-ins waits for itself and for nobody else.
#[derive(Clone)]
pub struct Hasher {
    permits: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            permits: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }
}

impl Hasher {
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: String) -> Result<PasswordHash, Error> {
        self.run(move || PasswordHash::of(&password))
            .await?
            .map_err(Error::Internal)
    }

    /// Whether the password opens this hash.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn opens(&self, hash: PasswordHash, password: String) -> Result<bool, Error> {
        self.run(move || hash.matches(&password)).await
    }

    /// Whether the password opens the account of this hash; without an account, no. Where hashes of `kinds` are stored it costs
    /// the same with and without one: see [`Kind::rest`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn signs_in(
        &self,
        hash: Option<PasswordHash>,
        kinds: Vec<Kind>,
        password: String,
    ) -> Result<bool, Error> {
        self.run(move || {
            let own = hash.as_ref().and_then(PasswordHash::kind);
            let opens = hash.is_some_and(|hash| hash.matches(&password));
            for kind in Kind::rest(own, &kinds) {
                kind.spend(&password);
            }
            opens
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permit = timeout(PATIENCE, self.permits.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(Error::Unavailable(
                "too many sign-ins are waiting".to_owned(),
            ));
        };
        spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|_| Error::Internal("hashing a password panicked".to_owned()))
    }
}
