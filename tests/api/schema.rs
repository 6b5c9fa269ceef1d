//! The description of the API: that it is there, and that it says what the server does.

use serde_json::{Value, json};

use crate::support::App;

fn document() -> Value {
    App::new().get("/api/schema/").ok()
}

/// What is promised, whole: a change of the contract is a change of the snapshot, and is read line by line as one.
#[test]
fn it_says_what_it_said_before() {
    let document = App::new().get("/api/schema/?format=yaml");
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("openapi", document.body);
    });
}

#[test]
fn it_is_spelled_as_the_client_wants() {
    let app = App::new();
    for (path, accept, media_type) in [
        ("/api/schema/", "*/*", "application/json"),
        ("/api/schema/", "application/yaml", "application/yaml"),
        (
            "/api/schema/",
            "application/vnd.oai.openapi+json",
            "application/vnd.oai.openapi+json",
        ),
        ("/api/schema/?format=yaml", "*/*", "application/yaml"),
        (
            "/api/schema/?format=json",
            "application/yaml",
            "application/json",
        ),
    ] {
        let answer = app.send("GET", path, &[("accept", accept)]);
        assert_eq!(answer.status, 200, "{path} {accept}");
        assert_eq!(answer.header("content-type"), Some(media_type));
        assert_eq!(answer.header("vary"), Some("Accept"));
        let begin = if media_type.ends_with("json") {
            "{\"openapi\":\"3.1.0\""
        } else {
            "openapi: \"3.1.0\""
        };
        assert!(answer.body.starts_with(begin), "{path} {accept}");
        let tag = answer.header("etag").unwrap().to_owned();
        let again = [("accept", accept), ("if-none-match", tag.as_str())];
        assert_eq!(app.send("GET", path, &again).status, 304);
    }
    let wrong = app.get("/api/schema/?format=xml");
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["format"].is_array());
    let refused = app.send("GET", "/api/schema/", &[("accept", "text/html")]);
    assert_eq!(refused.status, 406);
}

#[test]
fn each_operation_has_its_own_name_and_whoever_reads_sees_the_whole_object() {
    let document = document();
    let mut names: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut objects = 0;
    for (name, schema) in schemas {
        let Some(sparse) = schemas.get(&format!("Sparse{name}")) else {
            continue;
        };
        objects += 1;
        let properties: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(schema["required"], json!(properties), "{name}");
        assert_eq!(sparse.get("required"), None, "{name}");
        let example = schema["examples"][0].as_object();
        let fields: Vec<&String> = example.unwrap().keys().collect();
        assert_eq!(fields, properties, "{name}");
    }
    assert_eq!(objects, 8);
}

#[test]
fn parameters_and_bodies_are_those_that_the_server_takes() {
    let document = document();
    let list = &document["paths"]["/api/developers/"];
    let names: Vec<&str> = list["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    for name in [
        "cursor",
        "page_size",
        "search",
        "ordering",
        "fields",
        "active",
        "skill",
        "skills__min",
        "company__name__istartswith",
        "last_login__isnull",
        "years_experience__in",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    let create = &document["components"]["schemas"]["DeveloperCreate"];
    assert_eq!(create["required"], json!(["name", "company"]));
    assert_eq!(create["additionalProperties"], json!(false));
    assert_eq!(create["properties"]["years_experience"]["maximum"], 80);
    let patch = &document["components"]["schemas"]["DeveloperPatch"];
    assert_eq!(patch.get("required"), None);
    assert_eq!(
        list["get"]["security"],
        json!([{}, {"jwtAuth": []}]),
        "anybody reads"
    );
    assert_eq!(list["post"]["security"], json!([{"jwtAuth": []}]));
    assert!(list["post"]["responses"]["201"]["links"]["get_developer"].is_object());
}

#[test]
fn a_browser_is_led_to_documentation_that_loads_nothing_from_elsewhere() {
    let app = App::new();
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let client = app.get("/api/");
    assert!(client.ok()["developers"].is_string());
    let led = app.raw(&format!(
        "GET /api/ HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
    ));
    assert!(
        led.starts_with("HTTP/1.1 302") && led.contains("location: http://x/api/docs/\r\n"),
        "{led}"
    );
    let page = app.send("GET", "/api/docs/", &[("accept", accept)]);
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.header("content-security-policy").is_some());
    assert!(!page.body.contains("//"), "{}", page.body);
    for file in page
        .body
        .split('"')
        .filter(|text| text.starts_with("/api/docs/") && !text.contains("favicon"))
    {
        let answer = app.send("GET", file, &[("accept", "*/*")]);
        assert_eq!(answer.status, 200, "{file}");
    }
    assert_eq!(app.get("/api/docs/index.html").status, 404);
    assert_eq!(app.get("/api/docs/../schema/x").status, 404);
}
