//! The database as a whole: what is wrong with it, and a copy of it.

use std::path::Path;

use diesel::{
    QueryResult, RunQueryDsl as _,
    dsl::sql,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::{DbConnection, Error};
use crate::rules::ID_MAX;

impl DbConnection {
    /// What is wrong with the structure of the database, and which rows refer to rows that are not there: a line each, a
    /// hundred of both at most. `PostgreSQL` sees to these itself; of it are told the constraints and indices that it has not
    /// finished to check.
    ///
    /// # Errors
    /// When the database is too damaged to be read.
    pub fn faults(&mut self) -> QueryResult<Vec<String>> {
        match self {
            Self::Sqlite(conn) => {
                let structure = "integrity_check FROM pragma_integrity_check \
                                 WHERE integrity_check <> 'ok'";
                let references = "format('%s %s refers to a row of %s that is not there', \"table\", rowid, parent) \
                                  FROM pragma_foreign_key_check LIMIT 100";
                let mut faults: Vec<String> = diesel::select(sql::<Text>(structure)).load(conn)?;
                faults.extend(diesel::select(sql::<Text>(references)).load::<String>(conn)?);
                Ok(faults)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => diesel::select(sql::<Text>(
                "format('the constraint %s of %s is not valid', conname, conrelid::regclass)
                 FROM pg_constraint WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
                 UNION ALL SELECT format('the index %s is not valid', indexrelid::regclass)
                 FROM pg_index JOIN pg_class ON oid = indexrelid
                 WHERE NOT indisvalid AND relnamespace = current_schema()::regnamespace",
            ))
            .load(conn),
        }
    }

    /// Which tables' ids have come beyond [`ID_MAX`], by a row that an older version imported with such an id: at the end of
    /// the numbers the table takes no new rows. A line each, with what to do.
    ///
    /// # Errors
    /// When the database is too damaged to be read.
    pub fn ids_at_the_end(&mut self) -> QueryResult<Vec<String>> {
        let used_up = match self {
            Self::Sqlite(conn) => diesel::select(sql::<(Text, BigInt)>(&format!(
                "name, seq FROM sqlite_sequence WHERE seq > {ID_MAX} ORDER BY name"
            )))
            .load(conn)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(conn) => diesel::select(sql::<(Text, BigInt)>(&format!(
                "regexp_replace(sequencename::text, '_id_seq$', ''), last_value FROM pg_sequences
                 WHERE schemaname = current_schema() AND last_value > {ID_MAX} ORDER BY 1"
            )))
            .load(conn)?,
        };
        let fault = |(table, id): (String, i64)| {
            format!(
                "the ids of {table} have come to {id}, beyond {ID_MAX}, and end there: `roster export` the directory, give what \
                 has such an id in {table} a smaller one, and `roster import` the files into a new database"
            )
        };
        Ok(used_up.into_iter().map(fault).collect())
    }

    /// Writes what an embedded database holds at this moment into an empty file, packed, while others go on to write.
    ///
    /// # Errors
    /// [`Error::Refused`] on an engine that has its own means for this, and for a path that is not UTF-8; those of the
    /// storage.
    pub fn copy_to(&mut self, file: &Path) -> Result<(), Error> {
        match self {
            Self::Sqlite(conn) => {
                let path = file
                    .to_str()
                    .ok_or_else(|| Error::Refused("the path is not UTF-8".to_owned()))?;
                sql_query("VACUUM INTO ?")
                    .bind::<Text, _>(path)
                    .execute(conn)?;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Err(Error::Refused(
                "the directory is in PostgreSQL: `pg_dump` makes its backups".to_owned(),
            )),
        }
    }
}
