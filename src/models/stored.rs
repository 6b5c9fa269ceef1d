//! What is asked of every table with ids of its own.

use diesel::QueryResult;

use crate::{db::DbConnection, query::Listed};

/// A model whose rows are found by their ids.
pub trait Stored: Listed {
    /// The table that has the rows.
    const TABLE: &'static str;

    fn id(&self) -> i64;

    /// # Errors
    /// Those of the statement.
    fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>>;

    /// As [`find`](Self::find), and nobody else changes it before the end of the transaction.
    ///
    /// # Errors
    /// Those of the statements.
    fn held(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>>;

    /// Those of the ids, in the order of the ids.
    ///
    /// # Errors
    /// Those of the statement.
    fn of_ids(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<Self>>;

    /// The greatest id there is, 0 when there is none.
    ///
    /// # Errors
    /// Those of the statement.
    fn last_id(conn: &mut DbConnection) -> QueryResult<i64>;

    /// Deletes the row, and whatever the schema says goes with it.
    ///
    /// # Errors
    /// Those of the statement.
    fn remove(conn: &mut DbConnection, id: i64) -> QueryResult<()>;
}

/// Makes `$model`, whose `all()` selects from `$table`, a [`Stored`] one.
macro_rules! stored {
    ($model:ident, $table:ident) => {
        impl $crate::models::Stored for $model {
            const TABLE: &'static str = stringify!($table);

            fn id(&self) -> i64 {
                self.id
            }

            fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
                Self::all().filter($table::id.eq(id)).first(conn).optional()
            }

            fn held(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
                conn.hold(Self::TABLE, id)?;
                Self::find(conn, id)
            }

            fn of_ids(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<Self>> {
                Self::all()
                    .filter($crate::models::one_of::OneOf::ids($table::id, ids))
                    .order($table::id)
                    .load(conn)
            }

            fn last_id(conn: &mut DbConnection) -> QueryResult<i64> {
                let last: Option<i64> = $table::table
                    .select($table::id)
                    .order($table::id.desc())
                    .first(conn)
                    .optional()?;
                Ok(last.unwrap_or(0))
            }

            fn remove(conn: &mut DbConnection, id: i64) -> QueryResult<()> {
                diesel::delete($table::table.find(id))
                    .execute(conn)
                    .map(|_| ())
            }
        }
    };
}
pub(super) use stored;
