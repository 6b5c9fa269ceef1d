//! Clients whose code is generated: that it is accepted by its language, and that it does what it says.

use serde_json::{Value, json};

use super::{directory, npm, python, run};
use crate::support::{Client, PASSWORD, Place};

/// What a script prints that has signed in as `ada`, read all developers and made a project, is what happened.
pub fn toured(user: &Client, printed: &str) {
    let seen: Value = serde_json::from_str(printed).unwrap();
    let mut next = json!(user.app.url("/api/developers/?page_size=100&fields=id"));
    let mut ids = Vec::new();
    while let Some(url) = next.as_str() {
        let page = user.get(url).ok();
        let results = page["results"].as_array().unwrap();
        ids.extend(results.iter().map(|developer| developer["id"].clone()));
        next = page["next"].clone();
    }
    assert!(ids.len() > 100, "more than a page");
    assert_eq!(seen["developers"], json!(ids));
    let project = user
        .get(&format!("/api/projects/{}/", seen["project"]))
        .ok();
    assert_eq!(project["owner"], "ada");
    assert_eq!(project["description"], "It computes.");
    assert_eq!(project["skills"].as_array().unwrap().len(), 1);
}

#[test]
#[ignore = "needs tests/clients/install"]
fn typescript_compiles_strictly_and_works() {
    let app = directory();
    let user = app.user("ada");
    run(npm("generate").env("ROSTER_URL", app.url("")));
    run(&mut npm("compile"));
    let printed = run(npm("tour").args(["--", &app.url(""), "ada", PASSWORD]));
    toured(&user, &printed);
}

#[test]
#[ignore = "needs tests/clients/install"]
fn python_is_generated_whole_and_works() {
    let app = directory();
    let user = app.user("ada");
    let place = Place::embedded();
    let package = place.path("roster_client");
    run(python("openapi-python-client")
        .args([
            "generate",
            "--fail-on-warning",
            "--meta",
            "none",
            "--output-path",
            &package,
            "--url",
        ])
        .arg(app.url("/api/schema/")));
    let printed = run(python("python")
        .args(["tour.py", &app.url(""), "ada", PASSWORD])
        .env("PYTHONPATH", place.path("")));
    toured(&user, &printed);
}
