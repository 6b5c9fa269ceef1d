use diesel::prelude::*;

use crate::db::{DbConnection, Stamp, schema::idempotency_keys};

/// How long an answer is kept, in days.
const DAYS: i64 = 1;

/// An answer that is given again when its request is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub struct KeptAnswer {
    pub fingerprint: String,
    pub status: i32,
    /// The new object.
    pub object_id: Option<i64>,
    pub body: String,
}

/// The request that an answer is kept for: by whom and under which key, and what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    pub user_id: i64,
    pub key: String,
    pub fingerprint: String,
}

impl Retry {
    /// The answer that the key has had; `None` when there is none, and then the key is taken: another request with it waits
    /// until this transaction has ended.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn claim(&self, conn: &mut DbConnection, now: Stamp) -> QueryResult<Option<KeptAnswer>> {
        let expired = idempotency_keys::created_at.lt(now.days_before(DAYS));
        diesel::delete(idempotency_keys::table.filter(expired)).execute(conn)?;
        if self.insert(conn, now)? == 1 {
            return Ok(None);
        }
        self.kept(conn, now)
    }

    /// The answer that the key has had.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn kept(&self, conn: &mut DbConnection, now: Stamp) -> QueryResult<Option<KeptAnswer>> {
        idempotency_keys::table
            .find((self.user_id, &self.key))
            .filter(idempotency_keys::created_at.ge(now.days_before(DAYS)))
            .select(KeptAnswer::as_select())
            .first(conn)
            .optional()
    }

    /// Keeps the answer, in the transaction that made it.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn keep(
        &self,
        conn: &mut DbConnection,
        status: i32,
        object_id: Option<i64>,
        body: &str,
    ) -> QueryResult<()> {
        diesel::update(idempotency_keys::table.find((self.user_id, &self.key)))
            .set((
                idempotency_keys::status.eq(status),
                idempotency_keys::object_id.eq(object_id),
                idempotency_keys::body.eq(body),
            ))
            .execute(conn)
            .map(|_| ())
    }

    /// Inserts the key unless it is there. The enum of connections knows no `ON CONFLICT`, so each engine has it said.
    fn insert(&self, conn: &mut DbConnection, now: Stamp) -> QueryResult<usize> {
        let row = (
            idempotency_keys::user_id.eq(self.user_id),
            idempotency_keys::key.eq(&self.key),
            idempotency_keys::fingerprint.eq(&self.fingerprint),
            idempotency_keys::status.eq(0),
            idempotency_keys::body.eq(""),
            idempotency_keys::created_at.eq(now),
        );
        match conn {
            DbConnection::Sqlite(conn) => diesel::insert_or_ignore_into(idempotency_keys::table)
                .values(row)
                .execute(conn),
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(conn) => diesel::insert_into(idempotency_keys::table)
                .values(row)
                .on_conflict_do_nothing()
                .execute(conn),
        }
    }
}
