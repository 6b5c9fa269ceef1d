//! Entity tags, and requests on condition of them.

use serde_json::{Value, json};

use crate::support::{Answer, App, Client, Dev, add_company, add_skill};

fn directory(app: &App) -> Client<'_> {
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let skill = add_skill(&app.db, "Rust");
    let boss = app.staff("boss");
    Dev {
        skills: &[skill],
        user: Some(boss.id),
        ..Dev::new("Ada", company)
    }
    .add(&app.db);
    boss.post("/api/projects/", &json!({"name": "Engine"}))
        .created();
    boss
}

const OBJECTS: [&str; 5] = [
    "/api/companies/1/",
    "/api/skills/1/",
    "/api/developers/1/",
    "/api/projects/1/",
    "/api/users/1/",
];

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

fn conditional(
    client: &Client<'_>,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: Option<&Value>,
) -> Answer {
    let authorization = format!("Bearer {}", client.access.clone().unwrap());
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        header,
    ];
    let body = body.map(ToString::to_string).unwrap_or_default();
    client.app.send_body(method, path, &headers, body)
}

#[test]
fn what_is_read_has_a_tag_and_is_sent_once() {
    let app = App::new();
    let boss = directory(&app);
    let others = [
        "/api/",
        "/api/developers/",
        "/api/users/me/",
        "/api/skills/?page_size=1",
        "/api/audit/1/",
    ];
    for path in OBJECTS.into_iter().chain(others) {
        let answer = boss.get(path);
        let tag = tag(&answer);
        assert!(
            tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20,
            "{tag}"
        );
        assert_eq!(boss.get(path).header("etag"), Some(tag.as_str()), "{path}");
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            let answer = conditional(&boss, "GET", path, ("if-none-match", &known), None);
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (304, ""),
                "{path} {known}"
            );
            assert_eq!(answer.header("etag"), Some(tag.as_str()));
        }
        assert_eq!(
            conditional(&boss, "HEAD", path, ("if-none-match", &tag), None).status,
            304
        );
        conditional(&boss, "GET", path, ("if-none-match", "\"x\""), None).ok();
    }
    let sparse = tag(&boss.get("/api/developers/1/?fields=id"));
    assert_ne!(sparse, tag(&boss.get("/api/developers/1/")));
    assert_eq!(app.get("/api/developers/99/").header("etag"), None);
}

#[test]
fn a_tag_changes_with_all_that_is_shown() {
    let app = App::new();
    let boss = directory(&app);
    let mut seen = vec![tag(&app.get("/api/developers/1/"))];
    for (path, change) in [
        ("/api/companies/1/", json!({"name": "Acme Ltd"})),
        ("/api/skills/1/", json!({"category": "Language"})),
        ("/api/users/1/", json!({"username": "chief"})),
        ("/api/developers/1/", json!({"years_experience": 3})),
        ("/api/developers/1/", json!({"skills": []})),
    ] {
        boss.patch(path, &change).ok();
        let now = tag(&app.get("/api/developers/1/"));
        assert!(!seen.contains(&now), "{path} {change}");
        seen.push(now);
    }
    // A change of nothing changes nothing.
    boss.patch("/api/developers/1/", &json!({"years_experience": 3}))
        .ok();
    assert_eq!(Some(&tag(&app.get("/api/developers/1/"))), seen.last());
}

#[test]
fn a_change_is_made_only_to_what_the_client_has_seen() {
    let app = App::new();
    let boss = directory(&app);
    for path in OBJECTS {
        let before = boss.get(path);
        let old = tag(&before);
        let field = if path.contains("users") {
            "email"
        } else {
            "name"
        };
        let change = |name: &str| json!({field: format!("{name}@example.org")});
        let changed = conditional(
            &boss,
            "PATCH",
            path,
            ("if-match", &old),
            Some(&change("one")),
        );
        let new = tag(&changed);
        let now = changed.ok();
        assert_eq!(
            tag(&boss.get(path)),
            new,
            "an answer to a change has the tag of what is there now"
        );
        for stale in [old.as_str(), "\"x\"", "", &format!("W/{new}")] {
            for (method, body) in [
                ("PATCH", change("two")),
                ("PUT", now.clone()),
                ("DELETE", json!({})),
            ] {
                let answer = conditional(&boss, method, path, ("if-match", stale), Some(&body));
                assert_eq!(
                    answer.refused(412)["code"],
                    "precondition_failed",
                    "{method} {path} {stale}"
                );
            }
        }
        // It comes before what is wrong with the fields, and behind what is not there.
        let wrong = json!({"colour": 1});
        assert_eq!(
            conditional(&boss, "PATCH", path, ("if-match", &old), Some(&wrong)).status,
            412
        );
        let nowhere = path.replace("/1/", "/99/");
        assert_eq!(
            conditional(&boss, "PATCH", &nowhere, ("if-match", &old), Some(&wrong)).status,
            404
        );
        assert_eq!(
            boss.get(path).ok(),
            now,
            "what was refused has left it as it was"
        );
        conditional(
            &boss,
            "PATCH",
            path,
            ("if-match", &format!("\"x\", {new}")),
            Some(&json!({})),
        )
        .ok();
        conditional(&boss, "PATCH", path, ("if-match", "*"), Some(&json!({}))).ok();
    }
    let old = tag(&app.get("/api/developers/1/"));
    boss.patch("/api/companies/1/", &json!({"name": "Renamed"}))
        .ok();
    assert_eq!(
        conditional(
            &boss,
            "DELETE",
            "/api/developers/1/",
            ("if-match", &old),
            None
        )
        .status,
        412
    );
    let new = tag(&app.get("/api/developers/1/"));
    assert_eq!(
        conditional(
            &boss,
            "DELETE",
            "/api/developers/1/",
            ("if-match", &new),
            None
        )
        .status,
        204
    );
}

#[test]
fn if_none_match_wants_nothing_to_be_there() {
    let app = App::new();
    let boss = directory(&app);
    let body = json!({"name": "Go", "category": "Language"});
    for (method, path) in [
        ("PUT", "/api/skills/1/"),
        ("PATCH", "/api/skills/1/"),
        ("POST", "/api/skills/"),
    ] {
        let answer = conditional(&boss, method, path, ("if-none-match", "*"), Some(&body));
        assert_eq!(
            answer.refused(412)["code"],
            "precondition_failed",
            "{method}"
        );
    }
    assert_eq!(app.get("/api/skills/").names(), ["Rust"]);
    let old = tag(&app.get("/api/skills/1/"));
    assert_eq!(
        conditional(
            &boss,
            "PUT",
            "/api/skills/1/",
            ("if-none-match", &old),
            Some(&body)
        )
        .status,
        412
    );
    conditional(
        &boss,
        "PUT",
        "/api/skills/1/",
        ("if-none-match", "\"x\""),
        Some(&body),
    )
    .ok();
}

#[test]
fn of_two_who_saw_the_same_one_changes_it() {
    let app = App::new();
    let boss = directory(&app);
    for round in 0..10 {
        let seen = tag(&app.get("/api/skills/1/"));
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|racer| {
                    let body = json!({"category": format!("{round} {racer}")});
                    let (boss, seen) = (&boss, &seen);
                    scope.spawn(move || {
                        conditional(
                            boss,
                            "PATCH",
                            "/api/skills/1/",
                            ("if-match", seen),
                            Some(&body),
                        )
                        .status
                    })
                })
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        assert_eq!(
            statuses.iter().filter(|status| **status == 200).count(),
            1,
            "{statuses:?}"
        );
        assert_eq!(
            statuses.iter().filter(|status| **status == 412).count(),
            3,
            "{statuses:?}"
        );
    }
}
