use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::PasswordHash;
use crate::{auth::secret::random, error::Error};

/// How long a request waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes off the async threads, on half of the cores at most: a flood of sign-ins waits for itself and for nobody else.
#[derive(Clone)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    /// What an unknown user's password is tried against, so that being unknown takes as long as being known.
    strangers: Arc<PasswordHash>,
}

impl Hasher {
    /// # Errors
    /// When the system has no randomness or no memory.
    pub fn new() -> Result<Self, String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let nobodys = random::<32>().map_err(|error| error.to_string())?;
        Ok(Self {
            permits: Arc::new(Semaphore::new((cores / 2).max(1))),
            strangers: Arc::new(PasswordHash::of(&nobodys)?),
        })
    }

    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: String) -> Result<PasswordHash, Error> {
        self.run(move || PasswordHash::of(&password))
            .await?
            .map_err(Error::Internal)
    }

    /// Whether the password opens the account of this hash; without an account, no, in the same time.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn matches(
        &self,
        hash: Option<PasswordHash>,
        password: String,
    ) -> Result<bool, Error> {
        let known = hash.filter(|hash| *hash != PasswordHash::unusable());
        let strangers = self.strangers.clone();
        self.run(move || known.as_ref().unwrap_or(&strangers).matches(&password))
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
