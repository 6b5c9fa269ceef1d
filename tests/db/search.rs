//! SQLite's indices of words: found from the schema, and whole whatever is added at once.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{connection::SimpleConnection as _, prelude::*, sql_types::Text};
use roster::db::{Db, DbConnection, Error};

use crate::support::{Place, add_skill};

fn run(db: &Db, sql: &str) {
    let sql = sql.to_owned();
    db.write_blocking(move |conn| Ok::<_, Error>(conn.batch_execute(&sql)?))
        .unwrap();
}

/// The first column of what the statement selects, as texts.
fn texts(db: &Db, sql: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let rows: Vec<Row> = db
        .read_blocking(|conn| match conn {
            DbConnection::Sqlite(conn) => Ok::<_, Error>(diesel::sql_query(sql).load(conn)?),
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(_) => panic!("these are SQLite's"),
        })
        .unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

/// A fifth table with an index of its words, as a migration would make it.
const NOTES: &str = "
    CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name_words TEXT NOT NULL);
    CREATE VIRTUAL TABLE notes_search USING fts5 (
        name_words, content = 'notes', content_rowid = 'id', tokenize = 'ascii', prefix = '1 2 3'
    );
    CREATE TRIGGER notes_search_insert AFTER INSERT ON notes BEGIN
        INSERT INTO notes_search (rowid, name_words) VALUES (new.id, new.name_words);
    END;
    CREATE TRIGGER notes_search_update AFTER UPDATE OF name_words ON notes BEGIN
        INSERT INTO notes_search (notes_search, rowid, name_words) VALUES ('delete', old.id, old.name_words);
        INSERT INTO notes_search (rowid, name_words) VALUES (new.id, new.name_words);
    END;
    CREATE TRIGGER notes_search_delete AFTER DELETE ON notes BEGIN
        INSERT INTO notes_search (notes_search, rowid, name_words) VALUES ('delete', old.id, old.name_words);
    END;";

#[test]
fn each_table_with_words_has_an_index_of_all_of_them_kept_by_three_triggers() {
    let place = Place::embedded();
    let db = place.open();
    let columns = |of: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for pair in texts(
            &db,
            &format!(
                "SELECT m.name || '.' || c.name AS value FROM sqlite_master m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND {of} AND c.name LIKE '%\\_words' ESCAPE '\\'"
            ),
        ) {
            let (table, column) = pair.split_once('.').unwrap();
            let table = table.trim_end_matches("_search").to_owned();
            columns.entry(table).or_default().insert(column.to_owned());
        }
        columns
    };
    let indexed = columns("m.sql LIKE '%USING fts5%'");
    assert_eq!(
        indexed,
        columns("m.name NOT LIKE '%\\_search%' ESCAPE '\\'")
    );
    assert!(indexed.contains_key("developers"));
    for table in indexed.keys() {
        let triggers = texts(
            &db,
            &format!(
                "SELECT name AS value FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}' ORDER BY name"
            ),
        );
        let expected =
            ["delete", "insert", "update"].map(|event| format!("{table}_search_{event}"));
        assert_eq!(triggers, expected);
    }
}

#[test]
fn rows_added_at_once_are_indexed_and_the_schema_is_as_before() {
    let place = Place::embedded();
    let db = place.open();
    run(&db, NOTES);
    let schema = || {
        texts(
            &db,
            "SELECT coalesce(sql, '') AS value FROM sqlite_master ORDER BY type, name",
        )
    };
    let before = schema();
    let developers = texts(
        &db,
        "SELECT hex(block) AS value FROM developers_search_data ORDER BY id",
    );
    db.write_blocking(|conn| {
        conn.adding("notes", 150, |conn| {
            for number in 0..150 {
                conn.batch_execute(&format!(
                    "INSERT INTO notes (name_words) VALUES ('note {number}')"
                ))?;
            }
            Ok::<_, Error>(())
        })
    })
    .unwrap();
    assert_eq!(schema(), before);
    assert_eq!(
        texts(
            &db,
            "SELECT hex(block) AS value FROM developers_search_data ORDER BY id"
        ),
        developers
    );
    let found = |word: &str| {
        texts(
            &db,
            &format!(
                "SELECT count(*) || '' AS value FROM notes_search WHERE notes_search MATCH '{word}'"
            ),
        )
    };
    assert_eq!(found("note"), ["150"]);
    assert_eq!(found("7*"), ["11"]);
    run(
        &db,
        "DELETE FROM notes WHERE id = 8; INSERT INTO notes_search (notes_search, rank) VALUES ('integrity-check', 1)",
    );
    assert_eq!(found("note"), ["149"]);
}

#[test]
fn what_fails_leaves_the_triggers() {
    let place = Place::embedded();
    let db = place.open();
    let triggers = || {
        texts(
            &db,
            "SELECT name AS value FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
        )
    };
    let before = triggers();
    let failed: Result<(), Error> = db.write_blocking(|conn| {
        conn.adding("skills", 1_000, |_| {
            Err(Error::Unavailable("of the test's own".to_owned()))
        })
    });
    assert!(failed.is_err());
    assert_eq!(triggers(), before);
    add_skill(&db, "Rust");
    assert_eq!(
        texts(
            &db,
            "SELECT rowid || '' AS value FROM skills_search WHERE skills_search MATCH 'rust'"
        ),
        ["1"]
    );
}
