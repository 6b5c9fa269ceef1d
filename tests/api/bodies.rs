//! Bodies: what is taken for what, and everything that is wrong with one, told at once.

use roster::server;
use serde_json::{Value, json};

use crate::support::{App, Client, Options, add_company, add_skill};

fn directory(app: &App) -> Client<'_> {
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    add_skill(&app.db, "Rust");
    add_skill(&app.db, "SQL");
    app.staff("boss")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_wrong_field_has_its_messages() {
    let app = App::new();
    let boss = directory(&app);
    let year = roster::db::Stamp::now().year();
    let required = json!(["This field is required."]);
    let cases: Vec<(&str, Value, Value)> = vec![
        (
            "companies",
            json!({}),
            json!({"name": required, "founded_year": required}),
        ),
        (
            "skills",
            json!({}),
            json!({"name": required, "category": required}),
        ),
        (
            "developers",
            json!({}),
            json!({"name": required, "company": required}),
        ),
        ("projects", json!({}), json!({"name": required})),
        (
            "companies",
            json!({"name": null, "founded_year": null}),
            json!({"name": ["This field may not be null."], "founded_year": ["This field may not be null."]}),
        ),
        (
            "companies",
            json!({"name": " \t", "founded_year": ""}),
            json!({"name": ["This field may not be blank."], "founded_year": ["A valid integer is required."]}),
        ),
        (
            "companies",
            json!({"name": "é".repeat(201), "founded_year": 999}),
            json!({
                "name": ["Ensure this field has no more than 200 characters."],
                "founded_year": ["Ensure this value is greater than or equal to 1000."],
            }),
        ),
        (
            "companies",
            json!({"name": true, "founded_year": true}),
            json!({"name": ["Not a valid string."], "founded_year": ["A valid integer is required."]}),
        ),
        (
            "companies",
            json!({"name": ["Acme"], "founded_year": 1999.5}),
            json!({"name": ["Not a valid string."], "founded_year": ["A valid integer is required."]}),
        ),
        (
            "companies",
            json!({"name": "aCmE", "founded_year": year + 1, "colour": "red", "": 1}),
            json!({
                "": ["Unknown field."],
                "colour": ["Unknown field."],
                "name": ["company with this name already exists."],
                "founded_year": [format!("Ensure this value is less than or equal to {year}.")],
            }),
        ),
        (
            "skills",
            json!({"name": "a;b", "category": "x".repeat(51)}),
            json!({
                "name": ["A skill's name may not contain \";\"."],
                "category": ["Ensure this field has no more than 50 characters."],
            }),
        ),
        (
            "skills",
            json!({"name": "rUST", "category": "a\0b"}),
            json!({"name": ["skill with this name already exists."], "category": ["Null characters are not allowed."]}),
        ),
        (
            "developers",
            json!({"name": "Ada", "company": "Acne", "skills": ["Rust", "Go", 99, 99, null, true, 1.5, [], {}, {"id": 98}],
                "years_experience": 81, "last_login": "yesterday", "user": "nobody"}),
            json!({
                "company": ["Object with name=Acne does not exist."],
                "skills": [
                    "Object with name=Go does not exist.",
                    "Invalid pk \"99\" - object does not exist.",
                    "Incorrect type. Expected pk value, received NoneType.",
                    "Incorrect type. Expected pk value, received bool.",
                    "Incorrect type. Expected pk value, received float.",
                    "Incorrect type. Expected pk value, received list.",
                    "An object here has \"id\" or \"name\".",
                    "Invalid pk \"98\" - object does not exist.",
                ],
                "years_experience": ["Ensure this value is less than or equal to 80."],
                "last_login": ["Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."],
                "user": ["Object with username=nobody does not exist."],
            }),
        ),
        (
            "developers",
            json!({"name": "Ada", "company": null, "skills": "Rust", "years_experience": -1}),
            json!({
                "company": ["This field may not be null."],
                "skills": ["Expected a list of items but got type \"str\"."],
                "years_experience": ["Ensure this value is greater than or equal to 0."],
            }),
        ),
        (
            "developers",
            json!({"name": "Ada", "company": 18_446_744_073_709_551_615_u64, "skills": null}),
            json!({
                "company": ["Invalid pk \"18446744073709551615\" - object does not exist."],
                "skills": ["This field may not be null."],
            }),
        ),
        (
            "developers",
            json!({"name": "Ada", "company": 1, "skills": vec![1; 1_001]}),
            json!({"skills": ["Ensure this field has no more than 1000 elements."]}),
        ),
    ];
    for (collection, body, expected) in cases {
        let path = format!("/api/{collection}/");
        let before = boss.get(&path).ok();
        assert_eq!(boss.post(&path, &body).refused(400), expected, "{body}");
        assert_eq!(boss.get(&path).ok(), before);
    }
    // A PATCH asks for nothing, and else is as strict.
    assert_eq!(
        boss.patch(
            "/api/companies/1/",
            &json!({"founded_year": "x", "colour": 1})
        )
        .refused(400),
        json!({"founded_year": ["A valid integer is required."], "colour": ["Unknown field."]})
    );
    assert_eq!(
        boss.put("/api/companies/1/", &json!({"founded_year": 2000}))
            .refused(400),
        json!({"name": required})
    );
}

#[test]
fn values_are_taken_as_drf_takes_them() {
    let app = App::new();
    let boss = directory(&app);
    let company = boss
        .post("/api/companies/", &json!({"name": 42, "founded_year": " 1999 ", "id": 99, "created_at": "x", "updated_at": []}))
        .created();
    assert_eq!(
        (&company["name"], &company["founded_year"], &company["id"]),
        (&json!("42"), &json!(1999), &json!(2))
    );
    assert_eq!(
        boss.patch("/api/companies/2/", &json!({"founded_year": 2001.0}))
            .ok()["founded_year"],
        2001
    );
    assert_eq!(
        boss.patch("/api/companies/2/", &json!({"founded_year": "2002.0"}))
            .ok()["founded_year"],
        2002
    );
    let developer = boss
        .post(
            "/api/developers/",
            &json!({"name": "\tAda ", "company": {"name": "acme"}, "skills": ["rust", 1, {"id": 1, "name": "SQL", "category": "x"}],
                "last_login": "2026-11-20T09:15:30.123456789+01:00", "user": {"username": "BOSS"}}),
        )
        .created();
    assert_eq!(developer["name"], "Ada");
    assert_eq!(
        developer["company"],
        json!({"id": 1, "name": "Acme", "founded_year": 1999})
    );
    assert_eq!(
        developer["skills"],
        json!([{"id": 1, "name": "Rust", "category": "Tool"}])
    );
    assert_eq!(developer["last_login"], "2026-11-20T08:15:30.123456Z");
    assert_eq!(developer["user"], "boss");
    assert_eq!(developer["years_experience"], 0);
    // What was read is taken back as it is.
    assert_eq!(boss.put("/api/developers/1/", &developer).ok(), developer);
    assert_eq!(boss.patch("/api/developers/1/", &json!({})).ok(), developer);
    let changed = boss
        .patch(
            "/api/developers/1/",
            &json!({"skills": ["sql"], "user": null, "years_experience": "7"}),
        )
        .ok();
    assert_eq!(changed["skills"][0]["name"], "SQL");
    assert_eq!(
        (&changed["user"], &changed["years_experience"]),
        (&Value::Null, &json!(7))
    );
    // An account is one developer's.
    boss.patch("/api/developers/1/", &json!({"user": boss.id}))
        .ok();
    let another = json!({"name": "Bob", "company": 1, "user": "boss"});
    assert_eq!(
        boss.post("/api/developers/", &another).refused(400),
        json!({"user": ["developer with this user already exists."]})
    );
}

#[test]
fn a_body_that_cannot_be_read_is_refused_as_such() {
    let app = App::with(Options {
        server: server::Settings {
            body_limit: 1_000,
            ..server::Settings::default()
        },
        ..Options::default()
    });
    let boss = directory(&app);
    let token = format!("Bearer {}", boss.access.clone().unwrap());
    let send = |content_type: &str, body: &[u8]| {
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", content_type),
        ];
        app.send_body("POST", "/api/skills/", &headers, body)
    };
    let json = "application/json";
    for (body, reason) in [
        (&b"{"[..], "EOF while parsing"),
        (b"{\"name\": }", "expected value at line 1 column 10"),
        (b"{\"name\": \"\xff\"}", "invalid unicode code point"),
        (b"{\"name\": \"\\ud800\"}", ""),
        (b"{'name': 1}", "key must be a string"),
        (b"{} {}", "trailing characters"),
        (b"{\"name\": 1e999}", "number out of range"),
    ] {
        let refused = send(json, body).refused(400);
        assert_eq!(refused["code"], "parse_error");
        let detail = refused["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("JSON parse error - ") && detail.contains(reason),
            "{detail}"
        );
    }
    assert_eq!(
        send(json, "[".repeat(900).as_bytes()).refused(400)["code"],
        "parse_error"
    );
    for (body, kind) in [
        ("[]", "list"),
        ("\"x\"", "str"),
        ("1", "int"),
        ("1.5", "float"),
        ("true", "bool"),
        ("null", "NoneType"),
    ] {
        let headers = [("authorization", token.as_str()), ("content-type", json)];
        let answer = app.send_body("POST", "/api/projects/", &headers, body);
        assert_eq!(
            answer.refused(400),
            json!({"non_field_errors": [format!("Invalid data. Expected a dictionary, but got {kind}.")]})
        );
    }
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "",
        "application/json; charset=latin1",
    ] {
        assert_eq!(
            send(content_type, b"{}").refused(415),
            json!({"detail": format!("Unsupported media type \"{content_type}\" in request."), "code": "unsupported_media_type"})
        );
    }
    for content_type in [
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
    ] {
        assert_eq!(
            send(content_type, b"{}").refused(400)["name"],
            json!(["This field is required."])
        );
    }
    // Nothing is an empty object, whatever its type.
    assert_eq!(
        send("text/plain", b"").refused(400)["name"],
        json!(["This field is required."])
    );
    let large = json!({"name": "x".repeat(1_000), "category": "Tool"}).to_string();
    assert_eq!(
        send(json, large.as_bytes()).refused(413),
        json!({"detail": "Request body exceeded the size limit.", "code": "request_too_large"})
    );
    // Not announced, it is noticed on the way.
    let chunked = format!(
        "POST /api/skills/ HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    assert!(app.raw(&chunked).starts_with("HTTP/1.1 413"));
}

#[test]
fn of_two_who_want_one_name_one_gets_it() {
    let app = App::new();
    let boss = directory(&app);
    for round in 0..10 {
        let body = json!({"name": format!("Twin {round}"), "category": "Tool"});
        let answers = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| boss.post("/api/skills/", &body)))
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 201).count(),
            1
        );
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            assert_eq!(
                answer.refused(400),
                json!({"name": ["skill with this name already exists."]})
            );
        }
    }
}

#[test]
fn a_body_that_is_compressed_is_refused() {
    let app = App::new();
    let token = format!("Bearer {}", app.user("ada").access.clone().unwrap());
    for encoding in ["gzip", "br", "x"] {
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
            ("content-encoding", encoding),
        ];
        let answer = app.send_body("POST", "/api/projects/", &headers, "{}");
        assert_eq!(
            answer.refused(415)["detail"],
            format!("Unsupported media type \"{encoding}\" in request.")
        );
    }
}
