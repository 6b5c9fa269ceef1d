//! Databases that are not as they should be: one clear line, and not a byte changed.

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};
use roster::db::{Db, Error, Readiness, Target};

use crate::support::Place;

fn refusal(url: &str, readiness: Readiness) -> String {
    let target: Target = url.parse().unwrap();
    match Db::open(&target, readiness) {
        Err(Error::Refused(reason)) => {
            assert!(!reason.contains('\n'), "{reason}");
            reason
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("{url} was opened"),
    }
}

fn sql(path: &str, statements: &str) {
    SqliteConnection::establish(path)
        .unwrap()
        .batch_execute(statements)
        .unwrap();
}

#[test]
fn a_path_that_cannot_be_opened() {
    let place = Place::embedded();
    let path = place.path("no/such/folder/roster.db");
    assert_eq!(
        refusal(&path, Readiness::CreateWhenNew),
        format!("cannot make {path}: No such file or directory (os error 2)")
    );
    let folder = place.path("");
    assert!(refusal(&folder, Readiness::CreateWhenNew).starts_with("cannot open "));
    // Nothing comes out of it, and nobody waits until something does.
    let pipe = place.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    assert_eq!(
        refusal(&pipe, Readiness::CreateWhenNew),
        format!("cannot open {pipe}: unable to open database file")
    );
}

#[test]
fn a_file_that_is_no_database_is_left_untouched() {
    let place = Place::embedded();
    for content in ["a shopping list\n".repeat(200), "x".to_owned()] {
        let path = place.file("roster.db", &content);
        assert_eq!(
            refusal(&path, Readiness::CreateWhenNew),
            format!("cannot open {path}: file is not a database")
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_database_of_another_application_is_left_untouched() {
    let place = Place::embedded();
    let path = place.path("other.db");
    sql(&path, "CREATE TABLE recipes (id INTEGER PRIMARY KEY)");
    let before = std::fs::read(&path).unwrap();
    assert_eq!(
        refusal(&path, Readiness::CreateWhenNew),
        format!("{path} belongs to another application: it is left untouched")
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_of_a_newer_version_is_left_untouched() {
    let place = Place::embedded();
    let path = place.url();
    place.open().close();
    sql(
        &path,
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000'); PRAGMA wal_checkpoint(TRUNCATE);",
    );
    let before = std::fs::read(&path).unwrap();
    for readiness in [Readiness::CreateWhenNew, Readiness::MustExist] {
        assert_eq!(
            refusal(&path, readiness),
            format!(
                "{path} was made by a newer roster (migration 29991231000000): it is left untouched, use that version"
            )
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_database_that_is_not_there_is_not_made_by_the_way() {
    let place = Place::embedded();
    let path = place.path("none.db");
    assert_eq!(
        refusal(&path, Readiness::MustExist),
        format!("there is no roster database at {path}: `roster migrate` makes one")
    );
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn an_empty_file_is_a_new_database() {
    let place = Place::embedded();
    let path = place.file("roster.db", "");
    assert!(refusal(&path, Readiness::MustExist).starts_with("there is no roster database"));
    place.open();
}

#[test]
fn a_url_that_names_no_engine_is_refused() {
    for (url, reason) in [
        (
            "mysql://localhost/x",
            "\"mysql\" is no database that roster knows: give a path, sqlite://… or postgres://…",
        ),
        ("", "a path is missing"),
        ("sqlite://", "a path is missing"),
        (
            ":memory:",
            "a directory in memory would be lost: give a path, or try `serve --demo`",
        ),
    ] {
        assert_eq!(url.parse::<Target>().unwrap_err(), reason);
    }
}

#[test]
#[cfg(not(feature = "postgres"))]
fn a_build_without_postgresql_says_so() {
    for url in [
        "postgres://ada:secret@localhost/x",
        "postgresql://localhost/x",
    ] {
        let reason = url.parse::<Target>().unwrap_err();
        assert_eq!(
            reason,
            "this build of roster has no PostgreSQL: build it with `--features postgres`"
        );
    }
}

#[test]
#[cfg(feature = "postgres")]
fn a_server_that_is_not_there_is_refused_without_its_password() {
    let reason = refusal(
        "postgres://ada:sesame@127.0.0.1:1/x",
        Readiness::CreateWhenNew,
    );
    assert!(
        reason.starts_with("cannot open the PostgreSQL database: "),
        "{reason}"
    );
    assert!(!reason.contains("sesame"), "{reason}");
    assert!(
        !format!(
            "{:?}",
            "postgres://ada:sesame@127.0.0.1:1/x".parse::<Target>()
        )
        .contains("sesame")
    );
}

#[test]
fn a_new_file_is_for_its_owner_alone_and_so_is_its_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::embedded();
    let path = place.path("roster.db");
    let db = Db::open(&path.parse().unwrap(), Readiness::CreateWhenNew).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{path}{suffix}"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
    db.close();
}
