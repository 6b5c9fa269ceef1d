//! Inserting one row and learning its id.

use diesel::{dsl::sql, prelude::*, sql_types::BigInt};

/// Inserts `$row` into `$table` and evaluates to the row's id.
///
/// PostgreSQL returns it; SQLite is asked afterwards, because it runs an insert that returns anything as if by a trigger,
/// with a journal of its own, and takes twice as long.
macro_rules! insert_row {
    ($conn:expr, $table:ident, $row:expr) => {
        match $conn {
            $crate::db::DbConnection::Sqlite(conn) => {
                diesel::insert_into($table::table)
                    .values($row)
                    .execute(conn)?;
                $crate::models::insert::last_rowid(conn)
            }
            #[cfg(feature = "postgres")]
            $crate::db::DbConnection::Postgres(conn) => diesel::insert_into($table::table)
                .values($row)
                .returning($table::id)
                .get_result(conn),
        }
    };
}
pub(super) use insert_row;

pub(super) fn last_rowid(conn: &mut SqliteConnection) -> QueryResult<i64> {
    diesel::select(sql::<BigInt>("last_insert_rowid()")).get_result(conn)
}
