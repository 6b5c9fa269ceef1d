//! Queries that every table with an id has.

use diesel::QueryResult;

use crate::{db::DbConnection, query::Listed};

/// A model whose rows are found by their ids.
pub trait Stored: Listed {
    /// The table that has the rows.
    const TABLE: &'static str;

    /// A query for all rows.
    fn all() -> Self::Query;

    fn id(&self) -> i64;

    /// The row of this id.
    fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>>;

    /// The row of this id, if it is one of the query's.
    fn find_among(
        conn: &mut DbConnection,
        query: Self::Query,
        id: i64,
    ) -> QueryResult<Option<Self>>;

    /// As [`find`](Self::find), and locks the row until the end of the transaction.
    fn held(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>>;

    /// The rows with these ids, ordered by id. Ids that do not exist are left out.
    fn of_ids(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<Self>>;

    /// The greatest id in the table, or 0.
    fn last_id(conn: &mut DbConnection) -> QueryResult<i64>;

    /// Deletes the row. Foreign keys delete or clear what refers to it.
    fn remove(conn: &mut DbConnection, id: i64) -> QueryResult<()>;
}

/// Implements [`Stored`] for `$model`, whose `all()` selects from `$table`.
macro_rules! stored {
    ($model:ident, $table:ident) => {
        impl $crate::models::Stored for $model {
            const TABLE: &'static str = stringify!($table);

            fn all() -> Self::Query {
                $model::all()
            }

            fn id(&self) -> i64 {
                self.id
            }

            fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
                Self::find_among(conn, Self::all(), id)
            }

            fn find_among(
                conn: &mut DbConnection,
                query: Self::Query,
                id: i64,
            ) -> QueryResult<Option<Self>> {
                query.filter($table::id.eq(id)).first(conn).optional()
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
