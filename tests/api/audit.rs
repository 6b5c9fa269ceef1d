//! The audit trail: a line for each change, in the change's own transaction.

use roster::{
    db::Error,
    models::{Developer, Stored as _},
};
use serde_json::{Value, json};

use crate::support::{App, Client, Dev, PASSWORD, add_company, add_skill, add_user};

/// The lines since `since`, the earliest first, without their ids and times.
fn lines(boss: &Client<'_>, since: i64) -> Vec<Value> {
    let page = boss.get("/api/audit/?page_size=100").ok();
    let mut lines = page["results"].as_array().unwrap().clone();
    lines.reverse();
    lines.retain(|line| line["id"].as_i64().unwrap() > since);
    lines
}

fn last(boss: &Client<'_>) -> i64 {
    boss.get("/api/audit/?page_size=1")
        .column("id")
        .first()
        .and_then(Value::as_i64)
        .unwrap_or(0)
}

/// What a line says of the change.
fn said(line: &Value) -> Value {
    json!([
        line["action"],
        line["object_type"],
        line["object_id"],
        line["changes"]
    ])
}

#[test]
fn every_kind_of_object_tells_its_changes() {
    let app = App::new();
    let boss = app.staff("boss");
    let skill = json!({"id": 1, "name": "Rust", "category": "Tool"});
    let since = last(&boss);
    boss.post(
        "/api/companies/",
        &json!({"name": "Acme", "founded_year": 1999}),
    )
    .created();
    boss.post("/api/skills/", &json!({"name": "Rust", "category": "Tool"}))
        .created();
    boss.post("/api/developers/", &json!({"name": "Ada", "company": 1}))
        .created();
    boss.post("/api/projects/", &json!({"name": "Engine", "skills": [1]}))
        .created();
    boss.post(
        "/api/users/",
        &json!({"username": "ada", "password": PASSWORD}),
    )
    .created();
    boss.patch(
        "/api/companies/1/",
        &json!({"name": "Acme Ltd", "founded_year": 1999}),
    )
    .ok();
    boss.patch("/api/developers/1/", &json!({"skills": [1], "user": "ada"}))
        .ok();
    boss.patch("/api/projects/1/", &json!({"owner": "ada"}))
        .ok();
    boss.patch(
        "/api/users/2/",
        &json!({"password": "another horse staple"}),
    )
    .ok();
    let made = lines(&boss, since);
    let created_at = |place: usize| made[place]["changes"]["created_at"].clone();
    let company = json!({"id": 1, "name": "Acme", "founded_year": 1999});
    let expected = [
        json!(["create", "company", 1, {"name": [null, "Acme"], "founded_year": [null, 1999], "created_at": created_at(0)}]),
        json!(["create", "skill", 1, {"name": [null, "Rust"], "category": [null, "Tool"]}]),
        json!(["create", "developer", 1, {"name": [null, "Ada"], "company": [null, company], "skills": [null, []],
            "years_experience": [null, 0], "created_at": created_at(2)}]),
        json!(["create", "project", 1, {"name": [null, "Engine"], "description": [null, ""], "skills": [null, [skill]],
            "owner": [null, "boss"], "created_at": created_at(3)}]),
        json!(["create", "user", 2, {"username": [null, "ada"], "email": [null, ""], "is_staff": [null, false], "is_active": [null, true],
            "date_joined": made[4]["changes"]["date_joined"], "password": [null, null]}]),
        json!(["update", "company", 1, {"name": ["Acme", "Acme Ltd"]}]),
        json!(["update", "developer", 1, {"skills": [[], [skill]], "user": [null, "ada"]}]),
        json!(["update", "project", 1, {"owner": ["boss", "ada"]}]),
        json!(["update", "user", 2, {"password": [null, null]}]),
    ];
    for (line, expected) in made.iter().zip(&expected) {
        assert_eq!(said(line), *expected);
        assert_eq!(
            (&line["user"], &line["address"]),
            (&json!("boss"), &json!("127.0.0.1"))
        );
        assert!(
            line["request_id"]
                .as_str()
                .is_some_and(|name| !name.is_empty())
        );
        assert!(line["at"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!(made.len(), expected.len());
    assert!(created_at(0)[0].is_null() && created_at(0)[1].is_string());
    // Nothing of a password or its hash is anywhere.
    let all = boss.get("/api/audit/?page_size=100").body;
    assert!(!all.contains("argon2") && !all.contains("horse"));
}

#[test]
fn what_goes_with_a_deleted_object_has_lines_of_its_own() {
    let app = App::new();
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    let (acme, other) = (
        add_company(&app.db, "Acme", "2020-01-01T00:00:00Z"),
        add_company(&app.db, "Other", "2020-01-01T00:00:00Z"),
    );
    let (rust, sql) = (add_skill(&app.db, "Rust"), add_skill(&app.db, "SQL"));
    let one = Dev {
        skills: &[rust, sql],
        ..Dev::new("One", acme)
    }
    .add(&app.db);
    let two = Dev::new("Two", acme).add(&app.db);
    let three = Dev {
        skills: &[rust],
        user: Some(ada.id),
        ..Dev::new("Three", other)
    }
    .add(&app.db);
    let project = ada
        .post(
            "/api/projects/",
            &json!({"name": "Engine", "skills": [rust]}),
        )
        .created()["id"]
        .clone();
    let skill = |id: i64, name: &str| json!({"id": id, "name": name, "category": "Tool"});

    let since = last(&boss);
    assert_eq!(boss.delete(&format!("/api/skills/{rust}/")).status, 204);
    let gone: Vec<Value> = lines(&boss, since).iter().map(said).collect();
    assert_eq!(
        gone,
        [
            json!(["update", "developer", one, {"skills": [[skill(rust, "Rust"), skill(sql, "SQL")], [skill(sql, "SQL")]]}]),
            json!(["update", "developer", three, {"skills": [[skill(rust, "Rust")], []]}]),
            json!(["update", "project", project, {"skills": [[skill(rust, "Rust")], []]}]),
            json!(["delete", "skill", rust, {"name": ["Rust", null], "category": ["Tool", null]}]),
        ]
    );

    let since = last(&boss);
    assert_eq!(boss.delete(&format!("/api/companies/{acme}/")).status, 204);
    let gone = lines(&boss, since);
    let whom: Vec<Value> = gone
        .iter()
        .map(|line| json!([line["action"], line["object_type"], line["object_id"]]))
        .collect();
    assert_eq!(
        whom,
        [
            json!(["delete", "developer", one]),
            json!(["delete", "developer", two]),
            json!(["delete", "company", acme])
        ]
    );
    assert_eq!(
        gone[0]["changes"]["skills"],
        json!([[skill(sql, "SQL")], null])
    );
    assert_eq!(gone[0]["request_id"], gone[2]["request_id"]);

    let since = last(&boss);
    assert_eq!(boss.delete(&format!("/api/users/{}/", ada.id)).status, 204);
    let gone = lines(&boss, since);
    assert_eq!(gone[0]["changes"]["name"], json!(["Engine", null]));
    assert_eq!(
        said(&gone[1]),
        json!(["update", "developer", three, {"user": ["ada", null]}])
    );
    assert_eq!(
        (&gone[2]["action"], &gone[2]["object_type"]),
        (&json!("delete"), &json!("user"))
    );
    assert_eq!(gone.len(), 3);
}

#[test]
fn what_fails_and_what_changes_nothing_leave_no_line() {
    let app = App::new();
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let since = last(&boss);
    boss.post(
        "/api/companies/",
        &json!({"name": "acme", "founded_year": 1999}),
    )
    .refused(400);
    boss.post(
        "/api/skills/",
        &json!([{"name": "Go", "category": "Tool"}, {}]),
    )
    .refused(400);
    boss.patch("/api/companies/1/", &json!({})).ok();
    boss.patch("/api/companies/1/", &json!({"name": "Acme"}))
        .ok();
    boss.delete("/api/users/1/").refused(400);
    ada.delete("/api/companies/1/").refused(403);
    boss.delete("/api/companies/99/").refused(404);
    assert_eq!(lines(&boss, since), [json!(null); 0]);
}

#[test]
fn sign_ins_are_recorded_and_those_that_fail_too() {
    let app = App::new();
    let boss = app.staff("boss");
    let id = add_user(&app.db, "ada", false);
    let since = last(&boss);
    let sign_in = |username: &str, password: &str| {
        app.anonymous()
            .post(
                "/api/token/",
                &json!({"username": username, "password": password}),
            )
            .status
    };
    sign_in("ADA", PASSWORD);
    sign_in("ada", "wrong");
    sign_in("correct horse", "wrong");
    let made = lines(&boss, since);
    let told: Vec<Value> = made
        .iter()
        .map(|line| json!([line["user"], said(line)]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["ada", ["login", "user", id, {}]]),
            json!(["ada", ["login_failed", "user", id, {}]]),
            // A name that is nobody's may be a password in the wrong field.
            json!([null, ["login_failed", "user", null, {}]]),
        ]
    );
    assert!(made.iter().all(|line| line["address"] == "127.0.0.1"));
}

#[test]
fn ends_of_sessions_are_recorded_and_thefts_too() {
    let app = App::new();
    let boss = app.staff("boss");
    let ada = app.user("ada");
    let (one, two) = (app.sign_in(ada.id, "ada"), app.sign_in(ada.id, "ada"));
    let since = last(&boss);
    let blacklist = |token: &str| {
        let body = json!({"refresh": token});
        app.anonymous().post("/api/token/blacklist/", &body).status
    };
    assert_eq!(
        (blacklist(&one.refresh), blacklist(&one.refresh)),
        (200, 401)
    );
    two.refreshed(&two.refresh).ok();
    for _ in 0..2 {
        two.refreshed(&two.refresh).refused(401);
    }
    let session = ada.get("/api/users/me/sessions/").column("id")[0].clone();
    let path = format!("/api/users/me/sessions/{session}/");
    assert_eq!(ada.delete(&path).status, 204);
    let made = lines(&boss, since);
    let told: Vec<Value> = made
        .iter()
        .map(|line| json!([line["user"], said(line)]))
        .collect();
    let ended = |session: &Value| json!({"session": [session, null]});
    assert_eq!(
        told,
        [
            json!(["ada", ["logout", "user", ada.id, ended(&json!(3))]]),
            json!(["ada", ["token_reused", "user", ada.id, ended(&json!(4))]]),
            json!(["ada", ["logout", "user", ada.id, ended(&session)]]),
        ]
    );
    assert!(made.iter().all(|line| line["address"] == "127.0.0.1"));
    assert_eq!(
        boss.get("/api/audit/?action__in=logout,token_reused")
            .column("id")
            .len(),
        3
    );
}

#[test]
fn requests_have_names_that_the_trail_keeps() {
    let app = App::new();
    let boss = app.staff("boss");
    let authorization = format!("Bearer {}", boss.access.clone().unwrap());
    let longest = "x".repeat(64);
    for (given, kept) in [
        ("trace-1.2_3", true),
        (longest.as_str(), true),
        ("", false),
        ("a b", false),
        ("a\"b", false),
        (&"x".repeat(65), false),
    ] {
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("x-request-id", given),
        ];
        let body = json!({"name": format!("project {}", given.len())}).to_string();
        let answer = app.send_body("POST", "/api/projects/", &headers, body);
        let name = answer.header("x-request-id").unwrap().to_owned();
        assert_eq!(name == given, kept, "{given}");
        assert_eq!(
            boss.get("/api/audit/?page_size=1").column("request_id"),
            [name]
        );
    }
    for path in [
        "/api/nowhere/",
        "/api/developers/99/",
        "/api/users/",
        "/api/",
    ] {
        assert!(app.get(path).header("x-request-id").is_some(), "{path}");
    }
    assert_ne!(
        app.get("/api/").header("x-request-id"),
        app.get("/api/").header("x-request-id")
    );
}

#[test]
fn the_trail_is_filtered_and_paged() {
    let app = App::new();
    let boss = app.staff("boss");
    let ada = app.user("ada");
    for name in ["one", "two", "three"] {
        ada.post("/api/projects/", &json!({"name": name})).created();
    }
    boss.delete("/api/projects/2/");
    let count = |query: &str| boss.get(&format!("/api/audit/?{query}")).column("id").len();
    assert_eq!(count("user=ada"), 4);
    assert_eq!(count("user=ada&action=create"), 3);
    assert_eq!(count("user__icontains=AD&action__in=create,login"), 4);
    assert_eq!(count("object_type=project&object_id=2"), 2);
    assert_eq!(count("action=delete"), 1);
    assert_eq!(count("at__gte=2020-01-01&at__lt=2020-01-02"), 0);
    assert_eq!(count("at__gte=2020-01-01"), 6);
    let all: Vec<i64> = boss
        .get("/api/audit/")
        .column("id")
        .iter()
        .map(|id| id.as_i64().unwrap())
        .collect();
    assert!(all.is_sorted_by(|one, other| one > other));
    let page = boss.get("/api/audit/?page_size=4").ok();
    assert_eq!(
        boss.get(page["next"].as_str().unwrap()).column("id").len(),
        2
    );
    assert_eq!(
        boss.get("/api/audit/?fields=action&page_size=1").ok()["results"],
        json!([{"action": "delete"}])
    );
    let first = boss.get("/api/audit/1/").ok();
    let keys: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "at",
            "user",
            "action",
            "object_type",
            "object_id",
            "changes",
            "request_id",
            "address"
        ]
    );
    boss.get("/api/audit/?ordering=action").refused(400);
    boss.get("/api/audit/?search=x").refused(400);
    boss.post("/api/audit/", &json!({})).refused(405);
}

#[test]
fn the_command_line_records_what_it_does_with_no_address() {
    let app = App::sample();
    let boss = app.staff("boss");
    let made = lines(&boss, 0);
    let told: Vec<Value> = made.iter().take(3).map(said).collect();
    let counts = |added: u32| json!({"added": added, "changed": 0, "unchanged": 0});
    assert_eq!(
        told,
        [
            json!(["import", "company", null, counts(1185)]),
            json!(["import", "skill", null, counts(589)]),
            json!(["import", "developer", null, counts(2000)]),
        ]
    );
    for line in &made[..3] {
        for field in ["user", "address", "request_id"] {
            assert!(line[field].is_null(), "{line}");
        }
    }
}

/// On PostgreSQL a deletion by somebody else comes between the look at what goes along and the end of it.
#[test]
fn what_another_transaction_deletes_meanwhile_has_no_line_of_this_one() {
    let app = App::new();
    let boss = app.staff("boss");
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let skill = add_skill(&app.db, "Rust");
    let names = ["Ada", "Bob", "Cy", "Dan"];
    let ids = names.map(|name| {
        let skills = &[skill];
        Dev {
            skills,
            ..Dev::new(name, company)
        }
        .add(&app.db)
    });
    let since = last(&boss);
    for (path, gone) in [
        (format!("/api/skills/{skill}/"), ids[0]),
        (format!("/api/companies/{company}/"), ids[2]),
    ] {
        let (deleted, is_deleted) = std::sync::mpsc::channel();
        let db = app.db.clone();
        let other = std::thread::spawn(move || {
            db.write_blocking(move |conn| {
                Developer::remove(conn, gone)?;
                deleted.send(()).unwrap();
                // As long as this takes, the request comes to the row that is on its way out, and waits for it there.
                std::thread::sleep(std::time::Duration::from_millis(300));
                Ok::<_, Error>(())
            })
        });
        is_deleted.recv().unwrap();
        assert_eq!(boss.delete(&path).status, 204);
        other.join().unwrap().unwrap();
    }
    let told: Vec<(Value, Value)> = lines(&boss, since)
        .iter()
        .filter(|line| line["object_type"] == "developer")
        .map(|line| {
            (
                line["object_id"].clone(),
                line["changes"]["name"][0].clone(),
            )
        })
        .collect();
    let expected = [
        (ids[1], Value::Null),
        (ids[2], Value::Null),
        (ids[3], Value::Null),
        (ids[1], json!("Bob")),
        (ids[3], json!("Dan")),
    ];
    assert_eq!(told, expected.map(|(id, name)| (json!(id), name)));
}
