//! Inserting one row and learning its id.

use diesel::prelude::*;

/// Inserts `$row` into `$table`, with the id `$id` if that is some, and evaluates to the row's id.
///
/// PostgreSQL returns it; SQLite is asked afterwards, because it runs an insert that returns anything as if by a trigger,
/// with a journal of its own, and takes twice as long.
macro_rules! insert_row {
    ($conn:expr, $table:ident, $id:expr, $row:expr) => {
        // Two statements, each known by its type: of one with an optional column Diesel builds the text for every row.
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

// Declared, for a literal of SQL is parsed anew each time.
#[diesel::declare_sql_function]
extern "SQL" {
    fn last_insert_rowid() -> BigInt;
}

pub(super) fn last_rowid(conn: &mut SqliteConnection) -> QueryResult<i64> {
    diesel::select(last_insert_rowid()).get_result(conn)
}
