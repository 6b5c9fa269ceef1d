//! The schema holds the rules by itself, and is the same on both engines.

use std::{collections::BTreeMap, fs, path::Path};

use diesel::{
    connection::SimpleConnection as _,
    prelude::*,
    sql_types::{Integer, Text},
};
use roster::db::{Db, DbConnection, Error};

use crate::support::Place;

const STATEMENTS: &str = "
    INSERT INTO companies (id, name, name_key, name_words, founded_year, created_at, updated_at)
    VALUES (500, 'Acme', 'acme', 'acme', 1999, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000');
    INSERT INTO skills (id, name, name_key, name_words, category, category_key, category_words)
    VALUES (500, 'Rust', 'rust', 'rust', 'Tool', 'tool', 'tool');
    INSERT INTO developers (id, name, name_key, name_words, company_id, created_at, updated_at)
    VALUES (500, 'Ada', 'ada', 'ada', 500, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000');
    INSERT INTO developer_skills VALUES (500, 500);
    INSERT INTO users (id, username, username_key, date_joined) VALUES (500, 'ada', 'ada', '2026-01-01 00:00:00.000000');
    INSERT INTO projects (id, name, name_key, name_words, owner_id, created_at, updated_at)
    VALUES (500, 'Engine', 'engine', 'engine', 500, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000');
    INSERT INTO project_skills VALUES (500, 500);
    INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
    VALUES (500, 500, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000', '2026-01-02 00:00:00.000000');
    INSERT INTO refresh_tokens (jti_hash, session_id, expires_at) VALUES ('x', 500, '2026-01-02 00:00:00.000000');
    UPDATE developers SET user_id = 500;";

fn run(db: &Db, sql: String) -> Result<(), Error> {
    db.write_blocking(move |conn| Ok(conn.batch_execute(&sql)?))
}

fn company(name: &str, year: &str) -> String {
    format!(
        "INSERT INTO companies (name, name_key, name_words, founded_year, created_at, updated_at)
         VALUES ({name}, {name}, 'x', {year}, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
}

fn skill(name: &str, category: &str) -> String {
    format!(
        "INSERT INTO skills (name, name_key, name_words, category, category_key, category_words)
         VALUES ({name}, {name}, 'x', {category}, 'x', 'x')"
    )
}

fn developer(name: &str, company: &str, years: &str) -> String {
    format!(
        "INSERT INTO developers (name, name_key, name_words, company_id, years_experience, created_at, updated_at)
         VALUES ({name}, 'x', 'x', {company}, {years}, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
}

fn user(username: &str) -> String {
    format!(
        "INSERT INTO users (username, username_key, date_joined) VALUES ({username}, {username}, '2026-01-01 00:00:00')"
    )
}

fn project(name: &str, owner: &str) -> String {
    format!(
        "INSERT INTO projects (name, name_key, name_words, owner_id, created_at, updated_at)
         VALUES ({name}, 'x', 'x', {owner}, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
    )
}

fn text(character: &str, length: usize) -> String {
    format!("'{}'", character.repeat(length))
}

#[test]
fn what_breaks_a_rule_is_refused_by_the_database_itself() {
    let place = Place::new();
    let db = place.open();
    run(&db, STATEMENTS.to_owned()).unwrap();
    for fits in [
        company(&text("é", 200), "1000"),
        skill(&text("é", 100), &text("é", 50)),
        developer(&text("é", 200), "500", "80"),
        user(&text("é", 150)),
        project(&text("é", 200), "500"),
    ] {
        run(&db, fits.clone()).unwrap_or_else(|error| panic!("{fits}: {error}"));
    }
    for breaks in [
        company("''", "1999"),
        company(&text("a", 201), "1999"),
        company("NULL", "1999"),
        company("'acme'", "1999"),
        company("'Old'", "999"),
        company("'Odd'", "NULL"),
        skill("''", "'Tool'"),
        skill(&text("a", 101), "'Tool'"),
        skill("'a;b'", "'Tool'"),
        skill("'rust'", "'Tool'"),
        skill("'Go'", "''"),
        skill("'Go'", &text("a", 51)),
        developer("''", "500", "0"),
        developer(&text("a", 201), "500", "0"),
        developer("'Bob'", "99", "0"),
        developer("'Bob'", "NULL", "0"),
        developer("'Bob'", "500", "-1"),
        developer("'Bob'", "500", "81"),
        user("''"),
        user(&text("a", 151)),
        user("'ada'"),
        project("''", "500"),
        project(&text("a", 201), "500"),
        project("'Loom'", "99"),
        "UPDATE developers SET user_id = 99 WHERE id = 500".to_owned(),
        "UPDATE developers SET user_id = 500".to_owned(),
        "INSERT INTO project_skills VALUES (500, 500)".to_owned(),
        "INSERT INTO project_skills VALUES (500, 99)".to_owned(),
        "INSERT INTO developer_skills VALUES (500, 500)".to_owned(),
        "INSERT INTO developer_skills VALUES (500, 99)".to_owned(),
        "INSERT INTO developer_skills VALUES (99, 500)".to_owned(),
        "INSERT INTO developer_skills VALUES (500, NULL)".to_owned(),
    ] {
        assert!(run(&db, breaks.clone()).is_err(), "{breaks}");
    }
}

#[test]
fn deletes_cascade() {
    let place = Place::new();
    let db = place.open();
    let count = |table: &str| {
        let number = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!(
            "(SELECT count(*) FROM {table})"
        ));
        db.read_blocking(move |conn| Ok::<i64, Error>(diesel::select(number).get_result(conn)?))
            .unwrap()
    };
    run(&db, STATEMENTS.to_owned()).unwrap();
    run(&db, "DELETE FROM skills".to_owned()).unwrap();
    assert_eq!((count("developer_skills"), count("developers")), (0, 1));
    assert_eq!((count("project_skills"), count("projects")), (0, 1));
    run(&db, "DELETE FROM users".to_owned()).unwrap();
    assert_eq!((count("projects"), count("sessions")), (0, 0));
    assert_eq!((count("refresh_tokens"), count("developers")), (0, 1));
    run(&db, "INSERT INTO skills VALUES (700, 'Go', 'go', 'go', 'Tool', 'tool', 'tool'); INSERT INTO developer_skills VALUES (500, 700)".to_owned()).unwrap();
    run(&db, "DELETE FROM companies".to_owned()).unwrap();
    assert_eq!(
        (
            count("developer_skills"),
            count("developers"),
            count("skills")
        ),
        (0, 0, 1)
    );
}

#[test]
fn an_id_is_never_used_again() {
    let place = Place::new();
    let db = place.open();
    let id = crate::support::add_skill(&db, "Rust");
    run(&db, "DELETE FROM skills".to_owned()).unwrap();
    assert!(crate::support::add_skill(&db, "Rust") > id);
}

fn folder(engine: &str) -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(engine);
    let names = |path: &Path| {
        let mut names: Vec<String> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    names(&path)
        .into_iter()
        .map(|name| (name.clone(), names(&path.join(name))))
        .collect()
}

#[test]
fn both_engines_have_the_same_migrations() {
    assert_eq!(folder("sqlite"), folder("postgres"));
    assert!(
        folder("sqlite")
            .iter()
            .all(|(_, files)| files == &["down.sql", "up.sql"])
    );
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    nullable: i32,
}

type Tables = BTreeMap<String, BTreeMap<String, String>>;

/// The tables of a migrated database, with Diesel's names for their columns' types.
fn tables(db: &Db) -> Tables {
    let found: Vec<Found> = db
        .read_blocking(|conn| {
            Ok::<_, Error>(match conn {
                DbConnection::Sqlite(conn) => diesel::sql_query(
                    "SELECT m.name AS table_name, c.name AS column_name, c.type AS kind, NOT c.\"notnull\" AS nullable
                     FROM sqlite_master m, pragma_table_info(m.name) c
                     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '%\\_search%' ESCAPE '\\' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'",
                )
                .load(conn)?,
                #[cfg(feature = "postgres")]
                DbConnection::Postgres(conn) => diesel::sql_query(
                    "SELECT table_name::text, column_name::text, data_type::text AS kind,
                            (is_nullable = 'YES')::int AS nullable
                     FROM information_schema.columns
                     WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%'",
                )
                .load(conn)?,
            })
        })
        .unwrap();
    let mut tables = Tables::new();
    for Found {
        table_name,
        column_name,
        kind,
        nullable,
    } in found
    {
        let kind = match (kind.to_lowercase().as_str(), column_name.as_str()) {
            // SQLite's alias of the row id, of 64 bits.
            ("integer", "id") | ("bigint", _) => "BigInt",
            ("integer", _) => "Integer",
            ("text", _) => "Text",
            ("boolean", _) => "Bool",
            ("timestamp" | "timestamp without time zone", _) => "Timestamp",
            (other, _) => panic!("{table_name}.{column_name} is {other}"),
        };
        let kind = if nullable == 1 {
            format!("Nullable<{kind}>")
        } else {
            kind.to_owned()
        };
        tables
            .entry(table_name)
            .or_default()
            .insert(column_name, kind);
    }
    tables
}

/// The tables that `src/db/schema.rs` declares.
fn declared() -> Tables {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db/schema.rs")).unwrap();
    let mut tables = Tables::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(" {")) {
            name.clone_into(&mut table);
        } else if let Some((column, kind)) = line.split_once(" -> ").filter(|_| line.ends_with(','))
        {
            let kind = kind.trim_end_matches(',').to_owned();
            tables
                .entry(table.clone())
                .or_default()
                .insert(column.to_owned(), kind);
        }
    }
    tables
}

#[test]
fn the_migrations_make_the_tables_that_the_code_knows() {
    let place = Place::new();
    assert_eq!(declared().len(), 11);
    assert_eq!(tables(&place.open()), declared());
}
