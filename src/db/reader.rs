use super::{Db, DbConnection, Error};

/// The database for those who only read. Handlers get this one: a handler writes through a transaction that judges the
/// caller first, and reaches no other.
#[derive(Clone)]
pub struct Reader(Db);

impl Reader {
    /// As [`Db::read`].
    ///
    /// # Errors
    /// As [`Db::read`].
    pub async fn read<T, E>(
        &self,
        f: impl FnOnce(&mut DbConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.0.read(f).await
    }

    /// As [`Db::ready`].
    ///
    /// # Errors
    /// As [`Db::ready`].
    pub async fn ready(&self) -> Result<(), Error> {
        self.0.ready().await
    }
}

impl From<Db> for Reader {
    fn from(db: Db) -> Self {
        Self(db)
    }
}
