//! Copies of the directory, made while it is in use.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicBool, Ordering},
};

use diesel::{SqliteConnection, dsl::sql, prelude::*, sql_types::BigInt};
use roster::db::schema::{audit, projects};
use serde_json::json;

use crate::support::{Output, Place, Served, roster, roster_with};

/// The sample directory in a file.
pub fn sample() -> Place {
    let place = Place::embedded();
    let folder = format!("{}/src/demo", env!("CARGO_MANIFEST_DIR"));
    roster(&["import", &folder, "--database-url", &place.url()]).ok();
    place
}

pub fn backup(place: &Place, args: &[&str]) -> Output {
    roster(&[&["backup", "--database-url", &place.url()], args].concat())
}

fn exported(place: &Place, url: &str, name: &str) -> Vec<String> {
    let folder = place.path(name);
    roster(&["export", &folder, "--database-url", url]).ok();
    let names = ["companies", "skills", "users", "developers", "projects"];
    names
        .iter()
        .map(|name| fs::read_to_string(format!("{folder}/{name}.csv")).unwrap())
        .collect()
}

#[test]
fn a_backup_holds_the_directory_and_takes_no_name_that_is_taken() {
    let place = sample();
    let copy = place.path("copy.db");
    let said = backup(&place, &[&copy, "--verify"]).ok();
    let size = fs::metadata(&copy).unwrap().len();
    assert_eq!(said, format!("{copy}: {size} bytes, verified\n"));
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        exported(&place, &copy, "of-copy"),
        exported(&place, &place.url(), "of-original")
    );
    // Ids that were given once are given to nobody else, from the copy either.
    let mut conn = SqliteConnection::establish(&copy).unwrap();
    let last: i64 = diesel::select(sql::<BigInt>(
        "seq FROM sqlite_sequence WHERE name = 'developers'",
    ))
    .get_result(&mut conn)
    .unwrap();
    assert_eq!(last, 2_000);

    let before = fs::read(&copy).unwrap();
    let refused = backup(&place, &[&copy]).failed();
    assert_eq!(refused, format!("{copy} is there already\n"));
    assert_eq!(fs::read(&copy).unwrap(), before);
    let nowhere = place.path("no/such/folder/copy.db");
    assert!(backup(&place, &[&nowhere]).failed().starts_with(&nowhere));
}

#[test]
fn a_backup_while_the_server_writes_is_of_one_moment() {
    let place = Place::embedded();
    let mut command = roster_with(
        &[
            "createuser",
            "ada",
            "--staff",
            "--password-stdin",
            "--database-url",
            &place.url(),
        ],
        &[],
    );
    command.stdin(fs::File::open(place.file("password", "correct horse battery\n")).unwrap());
    Output::of(command).ok();
    let served = Served::start(
        &["--bind=127.0.0.1:0", "--database-url", &place.url()],
        &[],
        0,
    );
    let credentials = json!({"username": "ada", "password": "correct horse battery"});
    let token = served.post("token/", &credentials).1["access"]
        .as_str()
        .unwrap()
        .to_owned();
    let done = AtomicBool::new(false);
    let copies: Vec<String> = (0..3)
        .map(|number| place.path(&format!("copy{number}.db")))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let request = ureq::post(format!("{}projects/", served.api))
                        .header("authorization", format!("Bearer {token}"))
                        .header("content-type", "application/json");
                    let answer = request.send(json!({"name": "Engine"}).to_string());
                    assert_eq!(answer.unwrap().status(), 201);
                }
            });
        }
        let said: Vec<Output> = copies
            .iter()
            .map(|copy| backup(&place, &[copy, "--verify"]))
            .collect();
        done.store(true, Ordering::Relaxed);
        for output in said {
            output.ok();
        }
    });
    let mut held = Vec::new();
    for copy in &copies {
        let mut conn = SqliteConnection::establish(copy).unwrap();
        let made: i64 = projects::table.count().get_result(&mut conn).unwrap();
        let lines = audit::table.filter(audit::object_type.eq("project"));
        let noted: i64 = lines.count().get_result(&mut conn).unwrap();
        assert_eq!(made, noted, "each row is there with its line of the audit");
        held.push(made);
    }
    assert!(held.is_sorted() && held[2] > 0, "{held:?}");
}

#[cfg(feature = "postgres")]
#[test]
fn a_server_of_databases_makes_its_backups_itself() {
    let place = Place::new();
    if !place.url().starts_with("postgres") {
        return;
    }
    let copy = place.path("copy.db");
    roster(&["migrate", "--database-url", &place.url()]).ok();
    let refused = backup(&place, &[&copy]).failed();
    assert!(refused.contains("pg_dump"), "{refused}");
    assert!(!std::path::Path::new(&copy).exists());
}
