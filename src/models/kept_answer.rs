use diesel::prelude::*;

use crate::db::{DbConnection, Stamp, schema::idempotency_keys};

/// How long an answer is kept, in days.
const DAYS: i64 = 1;

/// An answer that was kept under an `Idempotency-Key`, for a request that is sent again.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub struct KeptAnswer {
    pub fingerprint: String,
    pub status: i32,
    /// The id of the new object.
    pub object_id: Option<i64>,
    pub body: String,
}

/// A request with an `Idempotency-Key`: the user, the key, and a fingerprint of path and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    pub user_id: i64,
    pub key: String,
    pub fingerprint: String,
}

impl Retry {
    /// The answer that is kept under the key. When there is none, `None`, and the key now belongs to this request: another one with the
    /// same key waits until this transaction ends.
    pub fn claim(&self, conn: &mut DbConnection, now: Stamp) -> QueryResult<Option<KeptAnswer>> {
        let expired = idempotency_keys::created_at.lt(now.days_before(DAYS));
        diesel::delete(idempotency_keys::table.filter(expired)).execute(conn)?;
        if self.insert(conn, now)? == 1 {
            return Ok(None);
        }
        self.kept(conn, now)
    }

    /// The answer that is kept under the key.
    pub fn kept(&self, conn: &mut DbConnection, now: Stamp) -> QueryResult<Option<KeptAnswer>> {
        idempotency_keys::table
            .find((self.user_id, &self.key))
            .filter(idempotency_keys::created_at.ge(now.days_before(DAYS)))
            .select(KeptAnswer::as_select())
            .first(conn)
            .optional()
    }

    /// Keeps the answer, in the transaction that made it.
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

    /// Inserts the key unless it exists. Diesel's enum of connections has no `ON CONFLICT`, so each engine has a statement.
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
