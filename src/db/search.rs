//! The indices of the search, while many rows are added at once.

use diesel::{
    QueryResult, RunQueryDsl as _, SqliteConnection,
    connection::SimpleConnection as _,
    dsl::sql,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{DbConnection, Error};

/// Rows that an index takes when it is made anew in the time that a trigger needs for one.
const GAIN: u64 = 20;
/// Fewer new rows are not worth the look at those that are there.
const SOME: u64 = 100;

impl DbConnection {
    /// Runs `f`, which adds about `rows` rows to `table`, in the transaction around it. When they are many beside those that
    /// are there, SQLite's index of the table's words is made anew behind them instead of being kept row by row by triggers.
    /// The indices of other tables are left alone.
    ///
    /// # Errors
    /// Those of `f` and of the statements.
    pub fn adding<T, E: From<Error>>(
        &mut self,
        table: &str,
        rows: u64,
        f: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let triggers = match self {
            Self::Sqlite(conn) => suspend(conn, table, rows).map_err(Error::from)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Vec::new(),
        };
        let value = f(self)?;
        match self {
            Self::Sqlite(conn) => resume(conn, table, &triggers).map_err(Error::from)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {}
        }
        Ok(value)
    }
}

/// Drops the triggers that keep the table's index, if that is worth it, and returns the statements that make them again.
fn suspend(conn: &mut SqliteConnection, table: &str, rows: u64) -> QueryResult<Vec<String>> {
    if rows < SOME || rows <= last_id(conn, table)? / GAIN {
        return Ok(Vec::new());
    }
    let triggers: Vec<Trigger> = sql_query(
        "SELECT name, sql FROM sqlite_master
         WHERE type = 'trigger' AND tbl_name = ? AND name GLOB tbl_name || '_search_*'",
    )
    .bind::<Text, _>(table)
    .load(conn)?;
    for trigger in &triggers {
        conn.batch_execute(&format!("DROP TRIGGER {}", trigger.name))?;
    }
    Ok(triggers.into_iter().map(|trigger| trigger.sql).collect())
}

/// Makes the index anew, and the triggers that were dropped.
fn resume(conn: &mut SqliteConnection, table: &str, triggers: &[String]) -> QueryResult<()> {
    if triggers.is_empty() {
        return Ok(());
    }
    conn.batch_execute(&format!(
        "INSERT INTO {table}_search ({table}_search) VALUES ('rebuild')"
    ))?;
    triggers.iter().try_for_each(|sql| conn.batch_execute(sql))
}

/// The greatest id of the table: as many rows as that, unless some were deleted.
fn last_id(conn: &mut SqliteConnection, table: &str) -> QueryResult<u64> {
    let last: i64 = diesel::select(sql::<BigInt>(&format!(
        "coalesce((SELECT max(id) FROM {table}), 0)"
    )))
    .get_result(conn)?;
    Ok(u64::try_from(last).unwrap_or(0))
}

#[derive(diesel::QueryableByName)]
struct Trigger {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    sql: String,
}
