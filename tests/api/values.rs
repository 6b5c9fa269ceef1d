//! Values that mean the same in bodies, filters and files, and those that are refused in all of them.

use roster::{
    db::{Error, Stamp},
    models::ProjectDraft,
};
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
