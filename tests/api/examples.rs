//! The examples of the description, which people send as they are.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::support::{Answer, App, Client};

/// The lists whose examples refer to one another, in an order in which they can be made.
const LISTS: [&str; 5] = [
    "/api/companies/",
    "/api/skills/",
    "/api/users/",
    "/api/developers/",
    "/api/projects/",
];

/// The codes of the errors of each status.
const CODES: [(&str, &[&str]); 15] = [
    ("400", &["parse_error"]),
    (
        "401",
        &["not_authenticated", "token_not_valid", "no_active_account"],
    ),
    ("403", &["permission_denied"]),
    ("404", &["not_found"]),
    ("406", &["not_acceptable"]),
    ("408", &["request_timeout"]),
    ("412", &["precondition_failed"]),
    ("413", &["request_too_large"]),
    ("414", &["url_too_long"]),
    ("415", &["unsupported_media_type"]),
    ("422", &["idempotency_key_reused"]),
    ("429", &["throttled"]),
    ("431", &["head_too_large"]),
    ("500", &["error"]),
    ("503", &["unavailable"]),
];

fn document() -> Value {
    App::new().get("/api/schema/").ok()
}

/// Each operation as its path, its method and what is said of it.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap();
        operations
            .iter()
            .map(|(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn example(operation: &Value) -> Option<&Value> {
    operation["requestBody"]["content"]["application/json"].get("example")
}

/// The name of the script that the documentation page loads, which changes with the script.
fn script(app: &App) -> String {
    let page = app
        .send("GET", "/api/docs/", &[("accept", "text/html")])
        .body;
    let mut names = page
        .split('"')
        .filter_map(|text| text.strip_prefix("/api/docs/"));
    names
        .find(|name| name.starts_with("start."))
        .unwrap()
        .to_owned()
}

/// A directory that holds what the examples say, and the ids of it by list.
struct Directory<'a> {
    staff: Client<'a>,
    ids: BTreeMap<&'static str, i64>,
}

impl<'a> Directory<'a> {
    fn of(app: &'a App, document: &Value) -> Self {
        let staff = app.staff("boss");
        let make = |list: &'static str| {
            let body = example(&document["paths"][list]["post"]).unwrap();
            let made = staff.post(list, body).created();
            (list, made["id"].as_i64().unwrap())
        };
        let ids = LISTS.into_iter().map(make).collect();
        Self { staff, ids }
    }

    /// The path of something that is there.
    fn filled(&self, path: &str) -> String {
        let list = path.split('{').next().unwrap();
        let id = match list {
            "/api/users/me/sessions/" => self.staff.get(list).column("id")[0].as_i64().unwrap(),
            list => self.ids.get(list).copied().unwrap_or(1),
        };
        path.replace("{id}", &id.to_string())
            .replace("{skill_id}", &self.ids["/api/skills/"].to_string())
            .replace("{file}", &script(self.staff.app))
    }

    /// Sends the operation's example, after what is in its way has gone.
    fn send(&self, path: &str, method: &str, operation: &Value) -> Answer {
        let mut body = example(operation).cloned();
        let mut caller = self.staff.clone();
        if let Some(id) = self.ids.get(path).filter(|_| method == "post") {
            let deleted = self.staff.delete(&format!("{path}{id}/"));
            assert_eq!(deleted.status, 204, "{}", deleted.body);
        }
        match path {
            // A token is the one thing that nobody can make up.
            "/api/token/refresh/" | "/api/token/blacklist/" => {
                body = Some(json!({"refresh": caller.refresh}));
            }
            "/api/token/verify/" => body = Some(json!({"token": caller.refresh})),
            // The example is about another user than the staff's.
            "/api/users/me/password/" => {
                let credentials = json!({"username": "ada", "password": body.as_ref().unwrap()["current_password"]});
                let pair = caller.post("/api/token/", &credentials).ok();
                caller.access = pair["access"].as_str().map(ToOwned::to_owned);
            }
            _ => {}
        }
        caller.send(&method.to_uppercase(), &self.filled(path), body.as_ref())
    }
}

#[test]
fn each_operation_succeeds_with_its_example() {
    let document = document();
    let mut examples = 0;
    for (path, method, operation) in operations(&document) {
        assert_eq!(
            operation.get("requestBody").is_some(),
            example(operation).is_some(),
            "{method} {path}"
        );
        examples += usize::from(example(operation).is_some());
        let app = App::new();
        let answer = Directory::of(&app, &document).send(path, method, operation);
        let responses = operation["responses"].as_object().unwrap();
        let status = answer.status.to_string();
        assert!(
            (200..300).contains(&answer.status) && responses.contains_key(&status),
            "{method} {path}: {status} {}",
            answer.body
        );
    }
    assert!(examples >= 20, "{examples}");
}

#[test]
fn the_examples_of_errors_are_those_of_their_status() {
    let document = document();
    let mut shown = 0;
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
                None => response,
            };
            let Some(content) = response["content"].get("application/json") else {
                continue;
            };
            if status.as_str() < "400" {
                continue;
            }
            let place = format!("{method} {path} {status}");
            let examples: &Map<_, _> = content["examples"].as_object().unwrap();
            assert!(!examples.is_empty(), "{place}");
            for example in examples.values() {
                shown += 1;
                let Some(code) = example["value"].get("code") else {
                    continue;
                };
                let (_, codes) = CODES.iter().find(|(known, _)| known == status).unwrap();
                assert!(codes.iter().any(|known| code == known), "{place}: {code}");
            }
        }
    }
    assert!(shown > 100, "{shown}");
}

/// What generated clients are plain by: one type for each input, which a person would send.
#[test]
fn an_input_has_one_type_and_an_operation_says_whom_it_asks() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let inputs = |name: &&String| {
        ["Create", "Update", "Patch"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    for name in schemas.keys().filter(inputs) {
        for (field, schema) in schemas[name]["properties"].as_object().unwrap() {
            assert_eq!(schema.get("pattern"), None, "{name}.{field}");
            let types = schema["type"].as_array().into_iter().flatten();
            let types = types.filter(|kind| *kind != "null").count();
            assert!(types <= 1, "{name}.{field}: {schema}");
        }
    }
    for (path, method, operation) in operations(&document) {
        assert!(operation["security"].is_array(), "{method} {path}");
    }
    let text = document.to_string();
    assert!(
        !text.contains(r#"{"format":"date"}"#),
        "a time has one form"
    );
    let security = |path: &str, method: &str| &document["paths"][path][method]["security"];
    assert_eq!(*security("/api/token/", "post"), json!([]));
    assert_eq!(*security("/healthz", "get"), json!([]));
}
