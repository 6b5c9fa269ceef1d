//! Flags, environment, file and defaults, and the commands' manners.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{Output, Place, roster, roster_with};

fn migrated(place: &Place, args: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let mut command = roster_with(&[&["migrate"], args].concat(), environment);
    command.current_dir(place.path(""));
    Output::of(command).ok();
    let names = ["roster.db", "file.db", "env.db", "flag.db"];
    names
        .iter()
        .filter(|name| Path::new(&place.path(name)).exists())
        .map(|name| (*name).to_owned())
        .collect()
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let file =
        |place: &Place| place.file("roster.toml", "database-url = \"file.db\"\nworkers = 3\n");
    let env = ("ROSTER_DATABASE_URL", "env.db");

    let place = Place::embedded();
    assert_eq!(migrated(&place, &[], &[]), ["roster.db"]);
    let place = Place::embedded();
    assert_eq!(
        migrated(&place, &["--config", &file(&place)], &[]),
        ["file.db"]
    );
    let place = Place::embedded();
    assert_eq!(
        migrated(&place, &[], &[("ROSTER_CONFIG", &file(&place))]),
        ["file.db"]
    );
    let place = Place::embedded();
    assert_eq!(
        migrated(&place, &["--config", &file(&place)], &[env]),
        ["env.db"]
    );
    let place = Place::embedded();
    assert_eq!(
        migrated(
            &place,
            &["--database-url=flag.db", "--config", &file(&place)],
            &[env]
        ),
        ["flag.db"]
    );
    let place = Place::embedded();
    let mut command = roster_with(&["--database-url", "flag.db", "migrate"], &[env]);
    Output::of({
        command.current_dir(place.path(""));
        command
    })
    .ok();
    assert!(Path::new(&place.path("flag.db")).exists());
}

#[test]
fn a_file_that_is_wrong_is_named_with_its_place() {
    let place = Place::embedded();
    for (content, expected) in [
        ("colour = \"red\"", "unknown setting \"colour\""),
        ("demo = true", "unknown setting \"demo\""),
        ("config = \"x\"", "unknown setting \"config\""),
        (
            "workers = \"many\"",
            "invalid value 'many' for \"workers\": invalid digit found in string",
        ),
        (
            "shutdown-timeout = \"soon\"",
            "invalid value 'soon' for \"shutdown-timeout\": a time is a number and its unit, such as 10s, 5m or 1d",
        ),
        ("workers = [1]", "\"workers\" takes a text or a number"),
        ("workers 3", "TOML parse error at line 1"),
    ] {
        let path = place.file("roster.toml", content);
        let output = roster(&[
            "serve",
            "--config",
            &path,
            "--database-url",
            &place.path("x.db"),
        ]);
        assert_eq!(output.status, 2, "{content}");
        assert!(
            output.stderr.contains(&format!("{path}: {expected}")),
            "{content}: {}",
            output.stderr
        );
    }
    let output = roster(&["serve", "--config", "/no/such.toml"]);
    assert_eq!(output.status, 2);
    assert!(
        output
            .stderr
            .contains("/no/such.toml: No such file or directory"),
        "{}",
        output.stderr
    );
    assert!(!Path::new(&place.path("x.db")).exists());
}

#[test]
fn wrong_usage_is_status_2() {
    for args in [
        &["frobnicate"][..],
        &["--frobnicate"],
        &["import"],
        &["export"],
        &["serve", "--workers", "0"],
        &["export", "x", "--format", "xml"],
        &["completions", "cobol"],
        &["--workers", "x"],
    ] {
        let output = roster(args);
        assert_eq!((output.status, output.stdout.as_str()), (2, ""), "{args:?}");
        assert!(
            output.stderr.starts_with("error: "),
            "{args:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn a_database_url_that_is_wrong_is_one_line_without_its_password() {
    let urls = ["mysql://ada:sesame@localhost/x", "oracle://sesame"];
    let postgres = [
        "postgres://ada:sesame@127.0.0.1:1/x",
        "postgresql://ada@127.0.0.1:port/x?password=sesame%zz",
    ];
    for url in urls.into_iter().chain(postgres) {
        for environment in [false, true] {
            let output = if environment {
                Output::of(roster_with(&["migrate"], &[("ROSTER_DATABASE_URL", url)]))
            } else {
                roster(&["migrate", "--database-url", url])
            };
            let failed = output.failed();
            assert_eq!(failed.lines().count(), 1, "{failed}");
            assert!(!failed.contains("sesame"), "{failed}");
        }
    }
    let failed = roster(&[
        "migrate",
        "--database-url",
        "postgres://ada:sesame@127.0.0.1:1/x",
    ])
    .failed();
    if cfg!(feature = "postgres") {
        assert!(
            failed.starts_with("cannot open the PostgreSQL database: "),
            "{failed}"
        );
    } else {
        let reason = "this build of roster has no PostgreSQL: build it with `--features postgres`";
        assert_eq!(failed, format!("the database URL: {reason}\n"));
    }
}

#[test]
fn help_and_version_say_what_a_stranger_asks() {
    let help = roster(&["--help"]).ok();
    for word in [
        "serve",
        "migrate",
        "import",
        "export",
        "completions",
        "--database-url",
        "--config",
        "ROSTER_DATABASE_URL",
    ] {
        assert!(help.contains(word), "{word}");
    }
    let help = roster(&["serve", "--help"]).ok();
    for word in [
        "--bind",
        "127.0.0.1:8000",
        "--demo",
        "--workers",
        "--shutdown-timeout",
    ] {
        assert!(help.contains(word), "{word}");
    }
    let version = roster(&["--version"]).ok();
    assert_eq!(version, format!("roster {}\n", roster::VERSION));
    let commit = Command::new("git").args(["rev-parse", "HEAD"]).output();
    if let Some(commit) = commit.ok().filter(|output| output.status.success()) {
        let commit = String::from_utf8(commit.stdout).unwrap();
        let (_, told) = version.trim_end().split_once(" (").unwrap();
        assert!(commit.starts_with(told.trim_end_matches(')')), "{version}");
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            roster(&["completions", shell])
                .ok()
                .contains("database-url"),
            "{shell}"
        );
    }
}

#[test]
fn migrate_applies_what_is_pending_and_lists_it() {
    let place = Place::embedded();
    let url = ["--database-url", &place.url()];
    let failed = roster(&[&["migrate", "--status"], &url[..]].concat()).failed();
    assert_eq!(
        failed,
        format!(
            "there is no roster database at {}: `roster migrate` makes one\n",
            place.url()
        )
    );
    assert!(!Path::new(&place.url()).exists());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names[0], "2026-11-22-000000_directory");
    let applied = format!("applied {}\n", names.join("\napplied "));
    assert_eq!(roster(&[&["migrate"], &url[..]].concat()).ok(), applied);
    for args in [&["migrate"][..], &["migrate", "--status"]] {
        assert_eq!(roster(&[args, &url[..]].concat()).ok(), "nothing pending\n");
    }
}

#[test]
fn the_description_of_the_api_is_printed_in_two_spellings() {
    let json: serde_json::Value = serde_json::from_str(&roster(&["openapi"]).ok()).unwrap();
    assert_eq!(json["openapi"], "3.1.0");
    assert!(json["paths"]["/api/developers/"]["get"].is_object());
    let yaml = roster(&["openapi", "--format", "yaml"]).ok();
    assert!(yaml.starts_with("openapi: \"3.1.0\"\n"), "{yaml}");
}

#[test]
fn a_misspelt_variable_is_named_with_the_setting_that_was_meant() {
    let place = Place::embedded();
    let url = place.url();
    roster(&["migrate", "--database-url", &url]).ok();
    let environment = [
        ("ROSTER_RATE_LIMT", "off"),
        ("ROSTER_PASSWORD", "sesame"),
        // What Kubernetes sets, and what is empty, is nobody's mistake.
        ("ROSTER_SERVICE_HOST", "10.0.0.1"),
        ("ROSTER_PORT", "tcp://10.0.0.1:8000"),
        ("ROSTER_COLOUR", ""),
    ];
    let check = roster_with(&["check", "--database-url", &url], &environment);
    assert_eq!(
        Output::of(check).failed(),
        "settings: ROSTER_PASSWORD is no setting\n\
         settings: ROSTER_RATE_LIMT is no setting: did you mean ROSTER_RATE_LIMIT?\n"
    );
    let args = ["serve", "--bind=127.0.0.1:0", "--database-url", &url];
    let mut served = roster_with(&args, &environment);
    let mut child = served.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = lines
        .map(Result::unwrap)
        .find(|line| line.contains("did you mean ROSTER_RATE_LIMIT?"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told.unwrap().contains("WARN"));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let empty = [
        ("ROSTER_DATABASE_URL", ""),
        ("ROSTER_CONFIG", ""),
        ("ROSTER_WORKERS", ""),
        ("ROSTER_LOG", ""),
        ("ROSTER_RATE_LIMIT", ""),
    ];
    let place = Place::embedded();
    assert_eq!(migrated(&place, &[], &empty), ["roster.db"]);
    let file = place.file("roster.toml", "database-url = \"file.db\"\n");
    assert_eq!(
        migrated(&place, &["--config", &file], &empty),
        ["roster.db", "file.db"]
    );
    let url = place.path("file.db");
    let check = roster_with(&["check", "--database-url", &url], &empty);
    Output::of(check).ok();
}

/// A shell's `head` closes the pipe after its first line.
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for args in [
        &["openapi"][..],
        &["openapi", "--format", "yaml"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut command = roster_with(args, &[]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}
