//! Inserting one row and returning its id.

use diesel::prelude::*;

/// Inserts `$row` into `$table`, with the id `$id` if that is `Some`, and evaluates to the row's id.
///
/// PostgreSQL returns the id from the insert. SQLite is asked in a second statement: it runs `INSERT … RETURNING` as if by a
/// trigger, with a journal of its own, which takes twice as long.
macro_rules! insert_row {
    ($conn:expr, $table:ident, $id:expr, $row:expr) => {
        // Two types of statement, so that Diesel finds both in its cache by type. For one with an optional column it would build
        // the SQL text again for every row.
        match $id {
            Some(id) => insert_row!($conn, $table, ($table::id.eq::<i64>(id), $row)),
            None => insert_row!($conn, $table, $row),
        }
    };
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

// A declared function, because Diesel does not keep a prepared statement for a literal of SQL.
#[diesel::declare_sql_function]
extern "SQL" {
    fn last_insert_rowid() -> BigInt;
}

pub(super) fn last_rowid(conn: &mut SqliteConnection) -> QueryResult<i64> {
    diesel::select(last_insert_rowid()).get_result(conn)
}
