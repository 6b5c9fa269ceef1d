//! Who may keep an answer, and in what form it is wanted.

use serde_json::json;

use crate::support::{Answer, App, PASSWORD};

fn says(answer: &Answer) -> (&str, bool) {
    let caching = answer.header("cache-control").unwrap();
    let vary = answer.headers.get_all("vary");
    let mut vary = vary
        .iter()
        .flat_map(|value| value.to_str().unwrap().split(", "));
    (caching, vary.any(|name| name == "Authorization"))
}

const PUBLIC: (&str, bool) = ("public, no-cache", false);
const PRIVATE: (&str, bool) = ("private, no-cache", true);
const SECRET: (&str, bool) = ("no-store", false);

#[test]
fn every_answer_says_who_may_keep_it() {
    let app = App::sample();
    let (boss, anybody) = (app.staff("boss"), app.anonymous());
    boss.post("/api/projects/", &json!({"name": "p"})).created();
    for path in [
        "/api/",
        "/api/schema/",
        "/api/companies/",
        "/api/companies/1/",
        "/api/companies/1/developers/",
        "/api/developers/",
        "/api/developers/1/",
        "/api/skills/",
        "/healthz",
    ] {
        assert_eq!(says(&anybody.get(path)), PUBLIC, "{path}");
        assert_eq!(says(&boss.get(path)), PUBLIC, "{path}");
        assert_eq!(says(&anybody.send("OPTIONS", path, None)), PUBLIC, "{path}");
    }
    for path in [
        "/api/projects/",
        "/api/projects/1/",
        "/api/users/",
        "/api/users/me/",
        "/api/users/me/sessions/",
        "/api/audit/",
    ] {
        assert_eq!(says(&boss.get(path)), PRIVATE, "{path}");
        assert_eq!(says(&boss.send("OPTIONS", path, None)), PRIVATE, "{path}");
        assert_eq!(says(&anybody.get(path)), SECRET, "{path}");
    }
    let patched = boss.patch("/api/companies/1/", &json!({"founded_year": 2000}));
    assert_eq!((patched.status, says(&patched)), (200, PRIVATE));
    // Tokens, and everything that is no success.
    let pair = json!({"username": "boss", "password": PASSWORD});
    let token = anybody.post("/api/token/", &pair);
    assert_eq!((token.status, says(&token)), (200, SECRET));
    for path in [
        "/api/nothing/",
        "/api/companies/0/",
        "/api/companies/?x=1",
        "/readyz?x",
    ] {
        assert_eq!(says(&anybody.get(path)), SECRET, "{path}");
    }
    assert_eq!(says(&anybody.post("/api/companies/", &json!({}))), SECRET);
    // Who has it already is told the same of it.
    for (client, path, expected) in [
        (&anybody, "/api/skills/", PUBLIC),
        (&boss, "/api/users/", PRIVATE),
    ] {
        let tag = client.get(path).header("etag").unwrap().to_owned();
        let bearer = client
            .access
            .as_ref()
            .map(|token| format!("Bearer {token}"));
        let mut headers = vec![("if-none-match", tag.as_str())];
        headers.extend(
            bearer
                .as_ref()
                .map(|bearer| ("authorization", bearer.as_str())),
        );
        let known = app.send("GET", path, &headers);
        assert_eq!((known.status, says(&known)), (304, expected), "{path}");
    }
}

#[test]
fn the_files_of_the_documentation_are_kept_for_good_and_not_counted() {
    let app = App::new();
    let page = app.send("GET", "/api/docs/", &[("accept", "text/html")]);
    assert_eq!(says(&page), PUBLIC);
    let files: Vec<_> = page
        .body
        .split('"')
        .filter(|text| text.starts_with("/api/docs/") && !text.contains("favicon"))
        .collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let packed = app.send(
            "HEAD",
            file,
            &[("accept", "*/*"), ("accept-encoding", "gzip")],
        );
        let plain = app.send(
            "GET",
            file,
            &[("accept", "*/*"), ("accept-encoding", "identity")],
        );
        for answer in [&packed, &plain] {
            assert_eq!(answer.status, 200, "{file}");
            assert_eq!(
                says(answer),
                ("public, max-age=31536000, immutable", false),
                "{file}"
            );
            assert_eq!(answer.header("ratelimit"), None);
        }
        // Another version's file is not there, and nobody keeps that.
        let other = app.send("GET", &file.replacen('.', ".0", 1), &[("accept", "*/*")]);
        assert_eq!((other.status, says(&other)), (404, SECRET), "{file}");
    }
}

#[test]
fn a_format_can_be_asked_for_on_every_path() {
    let app = App::sample();
    let boss = app.staff("boss");
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    for path in [
        "/api/",
        "/api/developers/",
        "/api/developers/1/",
        "/api/schema/",
        "/healthz",
    ] {
        let json = app.send("GET", &format!("{path}?format=json"), &[("accept", html)]);
        json.ok();
        let json = app.send(
            "GET",
            &format!("{path}?format=json"),
            &[("accept", "text/html")],
        );
        json.ok();
    }
    boss.get("/api/users/me/?format=json&fields=id").ok();
    boss.post(
        "/api/skills/?format=json",
        &json!({"name": "n", "category": "c"}),
    )
    .created();
    // It narrows nothing, and stays in the links.
    let page = app.get("/api/developers/?format=json&page_size=1").ok();
    let next = page["next"].as_str().unwrap();
    assert!(next.contains("format=json"), "{next}");
    app.get(next).ok();
    app.get(&next.replace("format=json&", "")).ok();
    for path in [
        "/api/developers/?format=xml",
        "/api/?format=html",
        "/api/docs/?format=json",
        "/api/skills/1/?format=",
    ] {
        assert_eq!(app.get(path).refused(404)["code"], "not_found", "{path}");
    }
    app.get("/api/schema/?format=xml").refused(400);
    let yaml = app.send(
        "GET",
        "/api/schema/?format=yaml",
        &[("accept", "image/png")],
    );
    assert_eq!(yaml.status, 200);
}

#[test]
fn options_is_for_those_who_may_get() {
    let app = App::new();
    let (anybody, ada) = (app.anonymous(), app.user("ada"));
    for (path, status) in [
        ("/api/users/", 401),
        ("/api/projects/", 401),
        ("/api/skills/", 200),
        ("/api/users/me/", 401),
    ] {
        assert_eq!(anybody.send("OPTIONS", path, None).status, status, "{path}");
        assert_eq!(anybody.get(path).status, status, "{path}");
    }
    assert_eq!(ada.send("OPTIONS", "/api/users/", None).status, 403);
    assert_eq!(ada.send("OPTIONS", "/api/projects/", None).status, 200);
}
