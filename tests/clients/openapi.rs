//! The description by itself, and the server against it.

use regex::Regex;
use serde_json::json;

use super::{description, directory, python, run};
use crate::support::{App, Place, add_user};

/// Cases that each run has to try, whoever asks.
const CASES: u32 = 5_000;

#[test]
#[ignore = "needs tests/clients/install"]
fn it_is_valid() {
    let place = Place::embedded();
    run(python("openapi-spec-validator").arg(description(&place)));
}

#[test]
#[ignore = "needs tests/clients/install"]
fn its_yaml_is_its_json_to_a_reader_of_yaml_1_1() {
    let app = App::new();
    let place = Place::embedded();
    for form in ["yaml", "json"] {
        let document = app.get(&format!("/api/schema/?format={form}")).body;
        place.file(&format!("openapi.{form}"), document);
    }
    // What the description may come to say.
    let texts = [
        "",
        " ",
        "~",
        "null",
        "NULL",
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "N",
        "true",
        "False",
        "1",
        "+1",
        "1_000",
        "0x1F",
        "0b1",
        "0o7",
        "017",
        "1.5",
        ".5",
        "1e3",
        "1.0e+3",
        ".inf",
        "-.INF",
        ".NaN",
        "190:20:30",
        "2026-11-20",
        "2026-11-20T08:15:30.123456Z",
        "2001-12-14 21:59:43.10 -5",
        "=",
        "<<",
        "-",
        "- a",
        "? a",
        ": a",
        "a: b",
        "a:",
        "a #b",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "@a",
        "%a",
        "[a]",
        "{a}",
        "a\u{2028}b",
        "\u{feff}",
        "é",
        "😀",
        "\0",
        "\u{7f}",
        "\u{85}",
        "\t",
        "a\r\nb",
        "a\n\n b",
        "a\n",
        "\na",
        " a\nb",
        "a \nb",
        "'a'",
        "\"a\"",
        "\\",
        "--- a",
        "...",
    ];
    let named: serde_json::Map<_, _> = texts
        .iter()
        .map(|text| ((*text).to_owned(), json!([text, {"a": text}])))
        .collect();
    let value = json!({"texts": named, "numbers": [0, -1, 1.5, 1e22, 1e-7, 1.5e300, u64::MAX], "rest": [null, true, [], {}, [[], [[1]]]]});
    place.file("nasty.json", value.to_string());
    place.file("nasty.yaml", roster::openapi::to_yaml(&value));
    let paths = ["openapi", "nasty"].map(|name| place.path(name));
    run(python("python").arg("yaml_is_json.py").args(paths));
}

#[test]
#[ignore = "needs tests/clients/install"]
fn nothing_is_found_for_anybody() {
    let app = directory();
    conforms(&app, &[]);
}

#[test]
#[ignore = "needs tests/clients/install"]
fn nothing_is_found_for_a_user() {
    let app = directory();
    let token = app.user("ada").access.unwrap();
    conforms(
        &app,
        &["--header", &format!("Authorization: Bearer {token}")],
    );
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

/// Cases of an operation in each phase: more than each run has to try, when somebody asks for them.
fn examples() -> String {
    std::env::var("ROSTER_EXAMPLES").unwrap_or_else(|_| "20".to_owned())
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
        .args([
            "--checks",
            "all",
            "--max-examples",
            &examples(),
            "--seed",
            "1",
        ])
        // A loaded machine is no fault.
        .args(["--max-response-time", "60"])
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
