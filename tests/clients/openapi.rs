//! The description by itself, and the server against it.

use regex::Regex;

use super::{directory, python, run};
use crate::support::{App, Place, add_user};

/// Cases that each run has to try, whoever asks.
const CASES: u32 = 5_000;

#[test]
#[ignore = "needs tests/clients/install"]
fn it_is_valid() {
    let document = App::new().get("/api/schema/").body;
    let place = Place::embedded();
    run(python("openapi-spec-validator").arg(place.file("openapi.json", document)));
}

#[test]
#[ignore = "needs tests/clients/install"]
fn nothing_is_found_for_anybody() {
    let app = directory();
    conforms(&app, &[]);
}

#[test]
#[ignore = "needs tests/clients/install"]
fn nothing_is_found_for_the_staff() {
    let app = directory();
    // Small ids are often drawn: without these, the first user deleted would be the one that asks.
    for number in 0..200 {
        add_user(&app.db, &format!("user{number}"), false);
    }
    let token = app.staff("margaret").access.unwrap();
    conforms(
        &app,
        &["--header", &format!("Authorization: Bearer {token}")],
    );
}

/// Requests that fit the description and ones that do not, following its links from answer to answer.
#[expect(
    clippy::print_stdout,
    reason = "how much was tried belongs into the report"
)]
fn conforms(app: &App, args: &[&str]) {
    let report = run(python("schemathesis")
        .args(["--config-file", "schemathesis.toml", "run"])
        .arg(app.url("/api/schema/"))
        .args(["--checks", "all", "--max-examples", "20", "--seed", "1"])
        .args([
            "--workers",
            "2",
            "--continue-on-failure",
            "--generation-database",
            "none",
        ])
        .args(args));
    let passed = Regex::new(r"(\d+) generated, (\d+) passed").unwrap();
    let counts = passed.captures(&report).unwrap();
    println!("{}", &counts[0]);
    assert_eq!(counts[1], counts[2]);
    assert!(counts[1].parse::<u32>().unwrap() >= CASES);
}
