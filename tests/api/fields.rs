//! Sparse fields.

use serde_json::json;

use crate::support::{App, Dev, add_company, add_skill};

fn directory() -> (App, i64) {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let skill = add_skill(&app.db, "Rust");
    let id = Dev {
        skills: &[skill],
        ..Dev::new("Ada", company)
    }
    .add(&app.db);
    (app, id)
}

#[test]
fn only_the_fields_that_are_asked_for_are_shown_in_the_objects_order() {
    let (app, id) = directory();
    for (fields, expected) in [
        ("name", r#"{"name":"Ada"}"#),
        ("name,id", &format!(r#"{{"id":{id},"name":"Ada"}}"#)),
        (
            "company.name,name",
            r#"{"name":"Ada","company":{"name":"Acme"}}"#,
        ),
        (
            "company.founded_year,company.name",
            r#"{"company":{"name":"Acme","founded_year":1999}}"#,
        ),
        (
            "skills.name,years_experience",
            r#"{"skills":[{"name":"Rust"}],"years_experience":0}"#,
        ),
        (
            "skills.name,skills.category,user",
            r#"{"skills":[{"name":"Rust","category":"Tool"}],"user":null}"#,
        ),
        ("name,name, name", r#"{"name":"Ada"}"#),
    ] {
        let query: String = form_urlencoded::byte_serialize(fields.as_bytes()).collect();
        let detail = app.get(&format!("/api/developers/{id}/?fields={query}"));
        assert_eq!(
            (detail.status, detail.body.as_str()),
            (200, expected),
            "{fields}"
        );
        let list = app.get(&format!("/api/developers/?fields={query}"));
        assert_eq!(
            list.body,
            format!(r#"{{"next":null,"previous":null,"results":[{expected}]}}"#),
            "{fields}"
        );
    }
    let whole = app
        .get(&format!(
            "/api/developers/{id}/?fields=company.name,company"
        ))
        .ok();
    assert_eq!(whole["company"].as_object().unwrap().len(), 3);
    assert_eq!(
        app.get("/api/companies/?fields=name").ok()["results"],
        json!([{"name": "Acme"}])
    );
    assert_eq!(
        app.get("/api/skills/1/?fields=category").ok(),
        json!({"category": "Tool"})
    );
}

#[test]
fn a_field_that_is_not_there_is_400() {
    let (app, id) = directory();
    for fields in [
        "colour",
        "name,colour",
        "company.colour",
        "name.first",
        "",
        "name,",
        "company.",
        "skills.name.x",
        "Name",
        "%00",
    ] {
        for path in [
            "/api/developers/".to_owned(),
            format!("/api/developers/{id}/"),
        ] {
            let answer = app.get(&format!("{path}?fields={fields}"));
            assert_eq!(answer.status, 400, "{path} {fields}");
            let message = answer.json()["fields"][0].as_str().unwrap().to_owned();
            assert!(message.starts_with("Unknown field: "), "{message}");
        }
    }
    let answer = app.get(&format!("/api/developers/{id}/?fields=colour&page_size=3"));
    assert_eq!(
        answer.json(),
        json!({"fields": ["Unknown field: colour."], "page_size": ["Unknown query parameter."]})
    );
}

#[test]
fn links_keep_the_fields_and_a_cursor_does_not_mind_them() {
    let app = App::sample();
    let page = app.get("/api/developers/?fields=id&page_size=2").ok();
    let next = page["next"].as_str().unwrap();
    assert!(next.contains("fields=id"), "{next}");
    let second = app.get(next).ok();
    assert_eq!(second["results"][0].as_object().unwrap().len(), 1);
    let other = app.get(&next.replace("fields=id", "fields=id,name")).ok();
    assert_eq!(other["results"][0]["id"], second["results"][0]["id"]);
}

#[test]
fn skills_that_are_not_shown_are_not_fetched() {
    let app = App::sample();
    for path in [
        "/api/developers/?fields=id,company.name",
        "/api/developers/7/?fields=name",
    ] {
        assert_eq!(app.statements(|| drop(app.get(path).ok())), 1, "{path}");
    }
    for path in [
        "/api/developers/?fields=skills.name",
        "/api/developers/7/?fields=skills",
    ] {
        assert_eq!(app.statements(|| drop(app.get(path).ok())), 2, "{path}");
    }
}
