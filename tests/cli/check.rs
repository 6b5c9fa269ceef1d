//! What is said of a directory's state, and of how it is served.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use diesel::{
    SqliteConnection, connection::SimpleConnection as _, dsl::sql, prelude::*, sql_types::BigInt,
};

use roster::{db::Error, models::SkillDraft};

use super::backup::{backup, sample};
use crate::support::{Output, Place, roster};

fn check(url: &str, args: &[&str]) -> Output {
    roster(&[&["check", "--database-url", url], args].concat())
}

#[test]
fn both_engines_are_checked() {
    let place = Place::new();
    roster(&["migrate", "--database-url", &place.url()]).ok();
    let key = "--secret-key=a key that has at least 32 bytes in it";
    let fine = check(&place.url(), &[key]).ok();
    assert!(fine.contains("database: nothing is wrong"), "{fine}");
    #[cfg(feature = "postgres")]
    if place.url().starts_with("postgres") {
        diesel::PgConnection::establish(&place.url())
            .unwrap()
            .batch_execute("ALTER TABLE skills ADD CONSTRAINT odd CHECK (id > 0) NOT VALID")
            .unwrap();
        let fault = "database: the constraint odd of skills is not valid\n";
        assert_eq!(check(&place.url(), &[key]).failed(), fault);
    }
}

/// As a row leaves it that an older version imported.
#[test]
fn ids_that_have_come_to_their_end_are_told() {
    let place = Place::new();
    let db = place.open();
    let skill = SkillDraft {
        name: "Rust".to_owned(),
        category: "Tool".to_owned(),
    };
    db.write_blocking(move |conn| {
        skill.insert(conn, Some(i64::MAX))?;
        Ok::<_, Error>(conn.pass_ids("skills")?)
    })
    .unwrap();
    db.close();
    let key = "--secret-key=a key that has at least 32 bytes in it";
    let fault = check(&place.url(), &[key]).failed();
    let expected = "database: the ids of skills have come to 9223372036854775807, beyond 9007199254740991, and end there: ";
    assert!(fault.starts_with(expected), "{fault}");
    assert!(fault.contains("`roster export`"), "{fault}");
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let place = sample();
    let fine = "settings: nothing is wrong\ndatabase: nothing is wrong\n";
    assert_eq!(check(&place.url(), &[]).ok(), fine);
    let safe = [
        "--deploy",
        "--trusted-proxy=127.0.0.1",
        "--rate-limit=100/minute",
        "--throttle-anon=20/minute",
        "--throttle-user=200/minute",
        "--throttle-login=10/minute",
        "--throttle-account=100/hour",
    ];
    let all = format!("{fine}deploy: nothing is wrong\n");
    assert_eq!(check(&place.url(), &safe).ok(), all);
    assert!(
        !Path::new(&place.path("roster.db.secret")).exists(),
        "it only looks"
    );
}

#[test]
fn it_names_what_a_server_would_not_start_with() {
    let place = Place::embedded();
    let short = ["--secret-key=short", "--bind=nowhere.invalid:80"];
    let faults = check(&place.url(), &short).failed();
    let lines: Vec<&str> = faults.lines().collect();
    assert_eq!(
        lines[0],
        "settings: the secret key is too short: it takes 32 bytes or more"
    );
    assert!(lines[1].starts_with("settings: nowhere.invalid:80 is no address to listen on: "));
    assert_eq!(
        lines[2],
        format!(
            "database: there is no roster database at {}: `roster migrate` makes one",
            place.url()
        )
    );
    assert!(!Path::new(&place.url()).exists());
    let file = place.file("roster.toml", "workers = \"many\"\n");
    let wrong = check(&place.url(), &["--config", &file]);
    assert_eq!(wrong.status, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("workers"), "{wrong:?}");
}

#[test]
fn it_finds_damage_and_a_backup_of_it_is_not_kept() {
    let place = sample();
    let mut conn = SqliteConnection::establish(&place.url()).unwrap();
    conn.batch_execute(
        "PRAGMA foreign_keys = OFF;
         UPDATE developers SET company_id = 99999 WHERE id = 7;
         PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .unwrap();
    let fault = "developers 7 refers to a row of companies that is not there\n";
    assert_eq!(
        check(&place.url(), &[]).failed(),
        format!("database: {fault}")
    );
    let copy = place.path("copy.db");
    assert_eq!(
        backup(&place, &[&copy, "--verify"]).failed(),
        format!("the copy: {fault}")
    );
    assert!(!Path::new(&copy).exists());

    let page = |what: &str, conn: &mut SqliteConnection| -> i64 {
        diesel::select(sql::<BigInt>(what))
            .get_result(conn)
            .unwrap()
    };
    let root = page(
        "rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'developers' LIMIT 1",
        &mut conn,
    );
    let size = page("page_size FROM pragma_page_size", &mut conn);
    drop(conn);
    let mut file = fs::File::options().write(true).open(place.url()).unwrap();
    file.seek(SeekFrom::Start(((root - 1) * size).unsigned_abs()))
        .unwrap();
    file.write_all(&[0xff; 64]).unwrap();
    let faults = check(&place.url(), &[]).failed();
    // The damage itself, and not the reference of before alone.
    let damage = faults
        .lines()
        .find(|line| !line.contains("refers to a row"));
    assert!(
        damage.is_some_and(|line| line.starts_with("database: ")),
        "{faults}"
    );
}

#[test]
fn it_names_what_is_unsafe_on_the_internet() {
    let place = sample();
    fs::set_permissions(place.url(), fs::Permissions::from_mode(0o644)).unwrap();
    // The tests' own environment has the limits off.
    let unsafe_settings = [
        "--deploy",
        "--bind=0.0.0.0:8000",
        "--metrics-bind=0.0.0.0:9000",
        "--cors-origin=*",
        "--access-token-lifetime=1d",
        "--server-timing",
    ];
    let risks = check(&place.url(), &unsafe_settings).failed();
    for risk in [
        "--rate-limit is off",
        "--throttle-anon is off",
        "--throttle-user is off",
        "--throttle-login is off",
        "--throttle-account is off",
        "--bind 0.0.0.0:8000 takes tokens and passwords unencrypted",
        "--metrics-bind 0.0.0.0:9000 shows the metrics",
        "others on this machine may read",
        "--access-token-lifetime is over an hour",
        "--cors-origin is *",
        "--server-timing tells",
    ] {
        assert!(
            risks.contains(&format!("deploy: {risk}")),
            "{risk}\n{risks}"
        );
    }
    assert_eq!(risks.lines().count(), 11, "{risks}");
    let anybody = check(&place.url(), &["--deploy", "--trusted-proxy=0.0.0.0/0"]).failed();
    assert!(anybody.contains("--trusted-proxy names every address"));
    let alone = check(&place.url(), &["--deploy"]).failed();
    assert!(alone.contains("deploy: no --trusted-proxy"), "{alone}");
    // Without being asked about the internet it says nothing of it.
    check(&place.url(), &unsafe_settings[1..]).ok();
}
