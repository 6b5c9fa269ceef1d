//! The files of an embedded database, with a server that has them open.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    process::{Command, Stdio},
};

use serde_json::json;

use crate::support::{Place, Served, add_user, roster, roster_with};

/// A server on the database of `place`, and the access token of one of its staff.
fn served(place: &Place) -> (Served, String) {
    let db = place.open();
    add_user(&db, "boss", true);
    db.close();
    drop(db);
    let url = place.url();
    let args = ["--bind", "127.0.0.1:0", "--database-url", &url];
    let served = Served::start(&args, &[], 0);
    let token = served.sign_in("boss");
    (served, token)
}

fn add_skill(served: &Served, token: &str, name: &str) -> u16 {
    let skill = json!({"name": name, "category": "Tool"});
    served.post_as(token, "skills/", &skill).0
}

/// Opens, reads and closes the database from outside, with SQLite and without.
///
/// Roster's own SQLite would notice that the locks of another process are broken, and leave its log alone (SQLite 3.51 and
/// later do). That of Python is mostly older and would not.
pub fn read_from_outside(place: &Place) {
    const PYTHON: &str = "import sys\n\
        try: import sqlite3\n\
        except ImportError: sys.exit()\n\
        conn = sqlite3.connect(sys.argv[1], timeout=30)\n\
        conn.execute('SELECT count(*) FROM projects').fetchall()\n\
        conn.close()";
    let url = place.url();
    let read = Command::new("cat").arg(&url).stdout(Stdio::null()).status();
    assert!(read.unwrap().success());
    if let Ok(python) = Command::new("python3").args(["-c", PYTHON, &url]).status() {
        assert!(python.success());
    }
    roster(&["migrate", "--status", "--database-url", &url]).ok();
}

#[test]
fn whoever_reads_the_file_from_outside_takes_nothing_from_the_server() {
    let place = Place::embedded();
    let (served, token) = served(&place);
    let log = || fs::metadata(place.path("roster.db-wal")).unwrap().ino();
    let before = log();
    for number in 0..20 {
        assert_eq!(add_skill(&served, &token, &number.to_string()), 201);
        read_from_outside(&place);
    }
    assert_eq!(
        log(),
        before,
        "the log that the server writes to is in place"
    );
    served.signal("-KILL");
    drop(served);

    let db = place.open();
    let (faults, stored) = db
        .read_blocking(|conn| {
            use diesel::prelude::*;
            use roster::db::{Error, schema::skills};
            let stored: i64 = skills::table.count().get_result(conn)?;
            Ok::<_, Error>((conn.faults()?, stored))
        })
        .unwrap();
    assert_eq!(faults, [""; 0]);
    assert_eq!(stored, 20);
}

/// As long as the process holds a lock on the file nobody else takes the database for one that is not in use.
#[cfg(target_os = "linux")]
#[test]
fn the_server_holds_its_lock_on_the_file() {
    let place = Place::embedded();
    let (served, token) = served(&place);
    let inode = fs::metadata(place.url()).unwrap().ino();
    let is_locked = || {
        // `1: POSIX  ADVISORY  READ 4711 fe:00:6236675 1073741826 1073742335`
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[1] == "POSIX"
                && fields[4] == served.id().to_string()
                && fields[5].ends_with(&format!(":{inode}"))
        })
    };
    assert!(is_locked(), "at the start");
    assert_eq!(add_skill(&served, &token, "Rust"), 201);
    // Enough at once for connections that were not there at the start.
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| served.get("developers/?search=a"));
        }
    });
    assert!(is_locked(), "after writes and reads");
}

#[test]
fn a_server_whose_file_is_replaced_acknowledges_nothing_and_says_so_once() {
    let place = Place::embedded();
    let (served, token) = served(&place);
    assert_eq!(add_skill(&served, &token, "Rust"), 201);
    let copy = place.path("copy.db");
    roster(&["backup", &copy, "--database-url", &place.url()]).ok();
    fs::rename(&copy, place.url()).unwrap();
    for name in ["SQL", "Go", "C"] {
        assert_eq!(add_skill(&served, &token, name), 503, "{name}");
        let (status, answer) = served.get("/readyz");
        assert_eq!(status, 503);
        assert_eq!(
            answer["detail"],
            "the database's file was replaced by another"
        );
    }
    assert_eq!(served.get("skills/").1["results"][0]["name"], "Rust");
    let log = served.log();
    let errors: Vec<&String> = log.iter().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 1, "{log:?}");
    assert!(errors[0].contains(&place.url()), "{log:?}");
    assert!(errors[0].contains("was replaced by another"), "{log:?}");

    // Nothing of the old one is left to be written into the new one.
    let log = fs::metadata(place.path("roster.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0);
}

#[test]
fn a_database_that_is_made_through_a_link_is_for_its_owner_alone() {
    let place = Place::embedded();
    let far = place.path("far");
    fs::create_dir(&far).unwrap();
    symlink("far/database", place.path("near")).unwrap();
    symlink("near", place.path("nearer")).unwrap();
    let said = roster(&["migrate", "--database-url", &place.path("nearer")]).ok();
    assert!(said.starts_with("applied "), "{said}");
    let mode = |name: &str| {
        let file = fs::metadata(place.path(name)).unwrap();
        file.permissions().mode() & 0o777
    };
    assert_eq!(mode("far/database"), 0o600);
    let url = place.path("nearer");
    let args = ["--bind", "127.0.0.1:0", "--database-url", &url];
    let _served = Served::spawn(roster_with(&args, &[]), 0);
    for name in ["far/database-wal", "far/database-shm"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
}

#[test]
fn a_path_may_hold_what_means_something_in_an_address() {
    let place = Place::embedded();
    for name in ["what?mode=memory", "50%25", "a#b", "with space"] {
        let url = place.path(name);
        roster(&["migrate", "--database-url", &url]).ok();
        assert!(fs::metadata(&url).unwrap().len() > 0, "{name}");
        let said = roster(&["migrate", "--status", "--database-url", &url]).ok();
        assert_eq!(said, "nothing pending\n", "{name}");
    }
    let leading = format!("/{}", place.path("doubled"));
    roster(&["migrate", "--database-url", &leading]).ok();
    assert!(fs::metadata(place.path("doubled")).unwrap().len() > 0);
}

#[test]
fn a_file_that_is_overwritten_in_place_is_unavailable_and_no_fault_of_the_server() {
    let place = Place::embedded();
    let (served, token) = served(&place);
    assert_eq!(add_skill(&served, &token, "Rust"), 201);
    let path = place.url();
    let length = fs::metadata(&path).unwrap().len();
    // Behind the pages that are cached already.
    fs::write(&path, vec![b'x'; usize::try_from(length).unwrap()]).unwrap();
    fs::write(place.path("roster.db-wal"), b"").unwrap();
    let statuses: Vec<u16> = (0..3)
        .map(|number| add_skill(&served, &token, &format!("skill {number}")))
        .collect();
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
}
