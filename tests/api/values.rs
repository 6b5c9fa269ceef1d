//! Values that mean the same in bodies, filters and files, and those that are refused in all of them.

use roster::{
    db::{Error, Stamp},
    models::ProjectDraft,
};
use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{App, Dev, Output, PASSWORD, add_company, roster};

const WRONG_TIME: &str = "Datetime has wrong format. Use one of these formats instead: \
                          YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

/// As a part of a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What `roster import` makes of a developer's last login, in the directory of the app.
fn imported(app: &App, last_login: &str) -> Output {
    let content = format!("id,name,company,last_login\n1,Ada,Acme,{last_login}\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("developers.csv");
    std::fs::write(&path, content).unwrap();
    let url = app.database_url();
    roster(&["import", path.to_str().unwrap(), "--database-url", &url])
}

#[test]
fn a_time_is_read_the_same_wherever_it_comes_in() {
    let app = App::new();
    let acme = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let ada = Dev::new("Ada", acme).add(&app.db);
    let boss = app.staff("boss");
    let path = format!("/api/developers/{ada}/");
    for (text, moment) in [
        ("2026-11-20 08:15", "2026-11-20T08:15:00.000000Z"),
        ("2026-11-20T08:15:30+0100", "2026-11-20T07:15:30.000000Z"),
        ("2026-11-20T08:15:30.5+01", "2026-11-20T07:15:30.500000Z"),
        (
            "2026-11-20t08:15:30.123456789z",
            "2026-11-20T08:15:30.123456Z",
        ),
    ] {
        boss.patch(&path, &json!({"last_login": null})).ok();
        let changed = boss.patch(&path, &json!({"last_login": text})).ok();
        assert_eq!(changed["last_login"], moment, "{text}");
        let found = app.get(&format!("/api/developers/?last_login={}", encoded(text)));
        assert_eq!(found.names(), ["Ada"], "{text}");
        boss.patch(&path, &json!({"last_login": null})).ok();
        imported(&app, text).ok();
        assert_eq!(app.get(&path).ok()["last_login"], moment, "{text}");
    }
    let before = app.get(&path).ok();
    for text in [
        "26-11-20T08:15",
        "2026-11-2008:15",
        "2026-11-2T08:15",
        "2026-11-20T8:15",
        "2026-11-20T08:15:30,5",
        "2026-11-31T08:15",
        "0000-01-01T00:00",
        "2026-11-20T08:15:60",
    ] {
        let refused = boss.patch(&path, &json!({"last_login": text})).refused(400);
        assert_eq!(refused, json!({"last_login": [WRONG_TIME]}), "{text}");
        let refused = app
            .get(&format!(
                "/api/developers/?last_login__gt={}",
                encoded(text)
            ))
            .refused(400);
        assert_eq!(refused, json!({"last_login__gt": [WRONG_TIME]}), "{text}");
        // A comma ends the cell of a file.
        if !text.contains(',') {
            let refused = imported(&app, text).failed();
            assert!(
                refused.contains(&format!("last_login: {WRONG_TIME}")),
                "{refused}"
            );
        }
    }
    for date in ["2026-11-31", "0000-01-01", "26-11-20", "2026-1-01"] {
        let refused = app.get(&format!("/api/developers/?created_at={date}"));
        assert_eq!(
            refused.refused(400),
            json!({"created_at": [WRONG_TIME]}),
            "{date}"
        );
    }
    assert_eq!(app.get(&path).ok(), before);
}

#[test]
fn texts_have_a_bound_and_longer_ones_that_are_there_stay_readable() {
    let app = App::new();
    let ada = app.user("ada");
    let boss = app.staff("boss");
    let too_long = json!({"description": ["Ensure this field has no more than 20000 characters."]});
    let longest = "é".repeat(20_000);
    let project = ada
        .post(
            "/api/projects/",
            &json!({"name": "Engine", "description": longest}),
        )
        .created();
    assert_eq!(project["description"], longest);
    let longer = json!({"name": "Loom", "description": format!("{longest}x")});
    assert_eq!(ada.post("/api/projects/", &longer).refused(400), too_long);
    // As one that an older version took.
    let before = ProjectDraft {
        name: "Loom".to_owned(),
        description: "x".repeat(100_000),
        ..ProjectDraft::new(ada.id, Stamp::now())
    };
    let id = app
        .db
        .write_blocking(move |conn| Ok::<_, Error>(before.insert(conn, None)?))
        .unwrap();
    let path = format!("/api/projects/{id}/");
    let renamed = ada.patch(&path, &json!({"name": "Looms"})).ok();
    assert_eq!(renamed["description"].as_str().unwrap().len(), 100_000);
    assert_eq!(ada.put(&path, &renamed).refused(400), too_long);
    ada.patch(&path, &json!({"description": "y".repeat(1_001)}))
        .ok();
    // The trail keeps the beginning of long texts, and enough to tell them from others.
    let changes = boss
        .get("/api/audit/?object_type=project&action=update")
        .column("changes");
    let sha256 = "51ab1bfb007b9e54a74c83152fd7d8f6461ae7f53f07bd94fd7a990e92c70369";
    assert_eq!(changes[1], json!({"name": ["Loom", "Looms"]}));
    let [old, new] = [0, 1].map(|side| changes[0]["description"][side].clone());
    assert_eq!(old["text"], "x".repeat(1_000));
    assert_eq!(
        (&old["length"], &new["length"]),
        (&json!(100_000), &json!(1_001))
    );
    assert_eq!(new["sha256"], sha256);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_far_too_long_is_refused_before_anything_is_done_with_it() {
    let app = App::new();
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let boss = app.staff("boss");
    let anon = app.anonymous();
    let text = "ß".repeat(100_000);
    let at_most = |max: usize| {
        json!([format!(
            "Ensure this field has no more than {max} characters."
        )])
    };
    for (path, body, field, max) in [
        (
            "/api/companies/",
            json!({"name": text, "founded_year": 1999}),
            "name",
            200,
        ),
        (
            "/api/skills/",
            json!({"name": text, "category": "Tool"}),
            "name",
            100,
        ),
        (
            "/api/skills/",
            json!({"name": "Rust", "category": text}),
            "category",
            50,
        ),
        (
            "/api/developers/",
            json!({"name": "Ada", "company": text}),
            "company",
            200,
        ),
        (
            "/api/developers/",
            json!({"name": "Ada", "company": {"name": text}}),
            "company",
            200,
        ),
        (
            "/api/developers/",
            json!({"name": "Ada", "company": "Acme", "skills": [text]}),
            "skills",
            100,
        ),
        (
            "/api/developers/",
            json!({"name": "Ada", "company": "Acme", "user": text}),
            "user",
            150,
        ),
        (
            "/api/projects/",
            json!({"name": "Engine", "owner": text}),
            "owner",
            150,
        ),
        (
            "/api/users/",
            json!({"username": text, "password": PASSWORD}),
            "username",
            150,
        ),
        (
            "/api/users/",
            json!({"username": "ada", "password": PASSWORD, "email": text}),
            "email",
            254,
        ),
        (
            "/api/users/",
            json!({"username": "ada", "password": text, "email": "a.b.c@d.ef"}),
            "password",
            4_096,
        ),
        (
            "/api/users/me/password/",
            json!({"current_password": PASSWORD, "new_password": text}),
            "new_password",
            4_096,
        ),
        (
            "/api/users/me/password/",
            json!({"current_password": text, "new_password": "another one"}),
            "current_password",
            4_096,
        ),
    ] {
        let refused = boss.post(path, &body).refused(400);
        assert_eq!(refused, json!({field: at_most(max)}), "{path} {field}");
    }
    let credentials = json!({"username": text, "password": text});
    assert_eq!(
        anon.post("/api/token/", &credentials).refused(400),
        json!({"username": at_most(150), "password": at_most(4_096)})
    );
    let verified = anon.post("/api/token/verify/", &json!({"token": text}));
    assert_eq!(verified.refused(401)["code"], "token_not_valid");
    let words: Vec<String> = (0..6_000).map(|number| format!("{number:x}")).collect();
    let search = app.get(&format!("/api/developers/?search={}", words.join("+")));
    assert_eq!(search.refused(400), json!({"search": at_most(1_000)}));
}

#[test]
fn passwords_of_a_file_open_their_own_accounts() {
    let app = App::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.json");
    let path = path.to_str().unwrap();
    let users: Vec<_> = (0..7)
        .map(|number| json!({"username": format!("user{number}"), "password": format!("correct horse {number}")}))
        .chain([json!({"username": "hashless"}), json!({"username": "last", "password": "correct horse last"})])
        .collect();
    std::fs::write(path, json!(users).to_string()).unwrap();
    let url = app.database_url();
    let import = || roster(&["import", path, "--database-url", &url]).ok();
    assert_eq!(
        import(),
        format!("{path}: 9 added, 0 changed, 0 unchanged\n")
    );
    assert_eq!(
        import(),
        format!("{path}: 0 added, 0 changed, 9 unchanged\n")
    );
    for name in ["0", "3", "6", "last"] {
        let username = if name == "last" {
            name.to_owned()
        } else {
            format!("user{name}")
        };
        let sign_in = |password: &str| {
            let credentials = json!({"username": username, "password": password});
            app.anonymous().post("/api/token/", &credentials).status
        };
        assert_eq!(sign_in(&format!("correct horse {name}")), 200, "{name}");
        assert_eq!(sign_in("correct horse 1"), 401, "{name}");
    }
}

#[test]
fn an_integer_of_any_size_keeps_its_digits_and_is_no_text() {
    let app = App::new();
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let boss = app.staff("boss");
    let token = boss.access.clone().unwrap();
    let post = |path: &str, body: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        app.send_body("POST", path, &headers, body)
    };
    for digits in [
        "18446744073709551616",
        "12345678901234567890123",
        "-9223372036854775809",
    ] {
        let company = post(
            "/api/companies/",
            &format!("{{\"name\": {digits}, \"founded_year\": {digits}}}"),
        );
        let refused = company.refused(400);
        assert_eq!(refused["name"], json!(["Not a valid string."]), "{digits}");
        let bound = if digits.starts_with('-') {
            "greater"
        } else {
            "less"
        };
        let message = refused["founded_year"][0].as_str().unwrap();
        assert!(
            message.starts_with(&format!("Ensure this value is {bound} than or equal to")),
            "{message}"
        );
        let developer = format!(
            "{{\"name\": \"Ada\", \"company\": {digits}, \"skills\": [{{\"id\": {digits}}}]}}"
        );
        let missing = json!([format!("Invalid pk \"{digits}\" - object does not exist.")]);
        assert_eq!(
            post("/api/developers/", &developer).refused(400),
            json!({"company": missing, "skills": missing})
        );
    }
    let company = post(
        "/api/companies/",
        "{\"name\": 18446744073709551615, \"founded_year\": 1.999e3}",
    );
    let company = company.created();
    assert_eq!(company["name"], "18446744073709551615");
    assert_eq!(company["founded_year"], 1999);
}

#[test]
fn a_body_is_held_to_its_bounds_while_it_is_read() {
    let app = App::new();
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let boss = app.staff("boss");
    let token = boss.access.clone().unwrap();
    let refused = |body: String| {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        app.send_body("POST", "/api/developers/", &headers, body)
            .refused(400)
    };
    // Cut off in the middle: what is behind the bound is not looked at.
    let too_many =
        json!({"non_field_errors": ["Ensure this field has no more than 10000 elements."]});
    assert_eq!(
        refused(format!(
            "[{}",
            "0,".repeat(8 << 20).get(..(16 << 20) - 1).unwrap()
        )),
        too_many
    );
    let links = format!(
        "{{\"name\":\"Ada\",\"company\":1,\"skills\":[{}]}}",
        vec!["1"; 900].join(",")
    );
    for (body, reason) in [
        (
            format!("[{}]", vec![links; 60].join(",")),
            "more than 50000 elements in the lists of one request",
        ),
        (
            "[".repeat(100_000),
            "more than 16 levels of arrays and objects",
        ),
        (
            json!(
                (0..=100)
                    .map(|name| (name.to_string(), 0))
                    .collect::<BTreeMap<_, _>>()
            )
            .to_string(),
            "more than 100 fields of one object",
        ),
    ] {
        let detail = refused(body)["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with(&format!("JSON parse error - {reason} at line 1 column ")),
            "{detail}"
        );
    }
    assert_eq!(app.get("/api/developers/").ok()["results"], json!([]));
}
