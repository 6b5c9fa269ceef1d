//! What surrounds an answer: its encoding, what browsers are told, and whose pages may read it.

use std::io::Read as _;

use roster::{middleware::Origin, server::Settings};
use serde_json::json;

use crate::support::{App, Options};

/// The head and the body of a GET with these headers.
fn get(app: &App, path: &str, headers: &str) -> (String, Vec<u8>) {
    let answer = app.raw_bytes(&format!(
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
    ));
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    (head, answer[end + 4..].to_vec())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(": ")?;
        (known == name).then_some(value)
    })
}

fn decoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        "gzip" => flate2::read::GzDecoder::new(body).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(body, 4_096).read_to_end(&mut plain),
        "zstd" => zstd::Decoder::new(body).unwrap().read_to_end(&mut plain),
        other => panic!("{other}"),
    }
    .unwrap();
    plain
}

#[test]
fn every_encoding_is_the_same_body_with_its_own_tag() {
    let app = App::sample();
    let path = "/api/developers/?page_size=20";
    let (head, plain) = get(&app, path, "");
    let tag = header(&head, "etag").unwrap().trim_matches('"').to_owned();
    assert_eq!(header(&head, "content-encoding"), None);
    assert_eq!(header(&head, "vary"), Some("Accept-Encoding"));
    assert!(plain.len() > 4_096);
    for encoding in ["gzip", "br", "zstd"] {
        let accept = format!("Accept-Encoding: {encoding}\r\n");
        let (head, body) = get(&app, path, &accept);
        assert_eq!(header(&head, "content-encoding"), Some(encoding));
        assert_eq!(header(&head, "vary"), Some("Accept-Encoding"));
        assert!(body.len() < plain.len() / 2, "{encoding}: {}", body.len());
        assert_eq!(decoded(encoding, &body), plain);
        let own = format!("\"{tag}-{encoding}\"");
        assert_eq!(header(&head, "etag"), Some(own.as_str()));
        // The tag of any encoding says that the client has it; the answer tells the one it would have got.
        for known in [&own, &format!("\"{tag}\"")] {
            let again = format!("{accept}If-None-Match: {known}\r\n");
            let (head, body) = get(&app, path, &again);
            assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
            assert_eq!(header(&head, "etag"), Some(own.as_str()));
            assert_eq!(header(&head, "vary"), Some("Accept-Encoding"));
            assert_eq!(body, b"");
        }
        let length = header(&head, "content-length").unwrap().to_owned();
        let head = app.raw(&format!(
            "HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{accept}\r\n"
        ));
        assert_eq!(header(&head, "content-length"), Some(length.as_str()));
    }
}

#[test]
fn an_encoded_tag_is_good_for_a_change() {
    let app = App::new();
    let boss = app.staff("boss");
    let name = "n".repeat(200);
    let skills: Vec<_> = (0..10)
        .map(|n| json!({"name": format!("{n:0>100}"), "category": "c"}))
        .collect();
    let names: Vec<_> = skills.iter().map(|skill| skill["name"].clone()).collect();
    boss.post("/api/skills/", &json!(skills)).created();
    boss.post(
        "/api/companies/",
        &json!({"name": name, "founded_year": 2000}),
    )
    .created();
    let developer = json!({"name": name, "company": 1, "skills": names});
    boss.post("/api/developers/", &developer).created();
    let (head, _) = get(&app, "/api/developers/1/", "Accept-Encoding: gzip\r\n");
    let tag = header(&head, "etag").unwrap();
    assert!(tag.ends_with("-gzip\""), "{tag}");
    let bearer = format!("Bearer {}", boss.access.as_ref().unwrap());
    let patch = |tag: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("if-match", tag),
        ];
        let body = r#"{"years_experience": 7}"#;
        app.send_body("PATCH", "/api/developers/1/", &headers, body)
    };
    assert_eq!(patch(tag).status, 200);
    assert_eq!(patch(tag).status, 412);
}

#[test]
fn small_bodies_and_clients_that_take_none_get_them_as_they_are() {
    let app = App::sample();
    for (path, accept) in [
        ("/api/companies/1/", "gzip"),
        ("/api/developers/", "identity"),
        ("/api/developers/", "gzip;q=0, br;q=0, zstd;q=0"),
        ("/api/developers/", "deflate"),
        ("/api/developers/", ""),
    ] {
        let (head, body) = get(&app, path, &format!("Accept-Encoding: {accept}\r\n"));
        assert_eq!(header(&head, "content-encoding"), None, "{path} {accept}");
        serde_json::from_slice::<serde_json::Value>(&body).unwrap();
    }
    let many = format!("Accept-Encoding: {}, gzip\r\n", "x,".repeat(10_000));
    let (head, _) = get(&app, "/api/developers/", &many);
    assert_eq!(header(&head, "content-encoding"), Some("gzip"));
}

#[test]
fn every_answer_tells_browsers_to_be_careful_and_has_its_request_id() {
    let app = App::new();
    for (method, path) in [
        ("GET", "/api/"),
        ("GET", "/api/nothing/"),
        ("GET", "/api/users/"),
        ("DELETE", "/api/"),
        ("OPTIONS", "/api/"),
        ("GET", "/healthz"),
    ] {
        let answer = app.send(method, path, &[("x-request-id", "mine-7")]);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-request-id", "mine-7"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{method} {path}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn pages_of_allowed_origins_may_call_and_read() {
    let app = App::with(Options {
        server: Settings {
            cors_origins: vec![Origin::This("https://app.example".to_owned())],
            ..Settings::default()
        },
        ..Options::default()
    });
    let ask = |origin: &str, method: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "authorization, if-match"),
        ];
        app.send("OPTIONS", "/api/projects/", &headers)
    };
    let allowed = ask("https://app.example", "PATCH");
    assert_eq!((allowed.status, allowed.body.as_str()), (200, ""));
    let says = |name| allowed.header(name).unwrap_or_default();
    assert_eq!(says("access-control-allow-origin"), "https://app.example");
    assert!(says("access-control-allow-methods").contains("PATCH"));
    assert!(says("access-control-allow-headers").contains("if-match"));
    assert!(says("vary").contains("Origin"));
    let refused = ask("https://evil.example", "PATCH");
    assert_eq!(refused.header("access-control-allow-origin"), None);
    assert_eq!(refused.refused(400)["code"], "origin_refused");

    // Errors can be read as well.
    for path in ["/api/", "/api/nothing/", "/api/projects/"] {
        let answer = app.send("GET", path, &[("origin", "https://app.example")]);
        let says = |name| answer.header(name).unwrap_or_default();
        assert_eq!(says("access-control-allow-origin"), "https://app.example");
        for exposed in [
            "etag",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "x-request-id",
        ] {
            let names = says("access-control-expose-headers");
            assert!(names.split(", ").any(|name| name == exposed), "{names}");
        }
        assert!(says("vary").contains("Origin"), "{path}: {}", says("vary"));
        let other = app.send("GET", path, &[("origin", "https://evil.example")]);
        assert_eq!(other.header("access-control-allow-origin"), None);
        assert_eq!(other.status, answer.status);
    }
    // Without a question of a browser, OPTIONS is as ever.
    assert_eq!(app.send("OPTIONS", "/api/projects/", &[]).status, 401);
}

#[test]
fn any_origin_can_be_allowed() {
    let app = App::with(Options {
        server: Settings {
            cors_origins: vec![Origin::Any],
            ..Settings::default()
        },
        ..Options::default()
    });
    let answer = app.send("GET", "/api/", &[("origin", "https://anybody.example")]);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[test]
fn readiness_tells_what_is_missing() {
    use diesel::RunQueryDsl as _;
    let app = App::new();
    app.get("/readyz").ok();
    app.db
        .write_blocking(|conn| {
            let newer =
                "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
            diesel::sql_query(newer).execute(conn)?;
            Ok::<_, roster::db::Error>(())
        })
        .unwrap();
    let error = app.get("/readyz").refused(503);
    assert_eq!(error["code"], "unavailable");
    let detail = error["detail"].as_str().unwrap();
    assert!(detail.contains("made by a newer roster"), "{detail}");
    app.get("/healthz").ok();
}
