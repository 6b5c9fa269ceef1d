//! `Idempotency-Key`: a request that is sent again is answered again, and done once.

use diesel::prelude::*;
use roster::db::{Error, Stamp, schema::idempotency_keys};
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, PASSWORD};

fn post(client: &Client<'_>, path: &str, key: &str, body: &Value) -> Answer {
    let authorization = client
        .access
        .as_ref()
        .map_or(String::new(), |token| format!("Bearer {token}"));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    client
        .app
        .send_body("POST", path, &headers, body.to_string())
}

#[test]
fn a_request_sent_again_is_answered_again() {
    let app = App::new();
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    for (path, body) in [
        (
            "/api/companies/",
            json!({"name": "Acme", "founded_year": 1999}),
        ),
        ("/api/skills/", json!({"name": "Rust", "category": "Tool"})),
        ("/api/skills/", json!([{"name": "Go", "category": "Tool"}])),
        (
            "/api/developers/",
            json!({"name": "Ada", "company": "Acme", "skills": ["Rust"]}),
        ),
        ("/api/projects/", json!({"name": "Engine"})),
        (
            "/api/users/",
            json!({"username": "new", "password": PASSWORD}),
        ),
    ] {
        let key = format!("{path}{body}").replace(' ', "");
        let key = &key[..key.len().min(255)];
        let first = post(&boss, path, key, &body);
        assert_eq!(
            (first.status, first.header("idempotency-replayed")),
            (201, None),
            "{}",
            first.body
        );
        for path in [path, path.trim_end_matches('/')] {
            let again = post(&boss, path, key, &body);
            assert_eq!(again.header("idempotency-replayed"), Some("true"));
            assert_eq!((again.status, &again.body), (first.status, &first.body));
            assert_eq!(again.header("location"), first.header("location"));
        }
        for (path, body) in [
            (path, json!({"name": "Another"})),
            ("/api/projects/", json!({"name": "x"})),
        ] {
            let reused = post(&boss, path, key, &body);
            assert_eq!(
                reused.refused(422)["code"],
                "idempotency_key_reused",
                "{path}"
            );
        }
    }
    assert_eq!(app.get("/api/companies/").names().len(), 1);
    // Keys are each user's own.
    let body = json!({"name": "Loom"});
    let (hers, his) = (
        post(&ada, "/api/projects/", "k", &body),
        post(&boss, "/api/projects/", "k", &body),
    );
    assert_ne!(hers.created()["id"], his.created()["id"]);
}

#[test]
fn a_password_set_again_is_not_asked_for_the_old_one() {
    let app = App::new();
    let ada = app.user("ada");
    let path = "/api/users/me/password/";
    let body = json!({"current_password": PASSWORD, "new_password": "another horse staple"});
    assert_eq!(post(&ada, path, "k", &body).status, 204);
    // The session of the first request has ended with the password.
    let again = post(&ada, path, "k", &body);
    assert_eq!(again.refused(401)["code"], "token_not_valid");
    let ada = Client {
        access: Some(super::tokens::access_token(&app, ada.id)),
        ..ada
    };
    let again = post(&ada, path, "k", &body);
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (204, Some("true"))
    );
    assert_eq!(post(&ada, path, "other", &body).status, 400);
    let other = json!({"current_password": PASSWORD, "new_password": "one more horse staple"});
    assert_eq!(post(&ada, path, "k", &other).status, 422);
}

#[test]
fn only_what_succeeded_is_kept() {
    let app = App::new();
    let boss = app.staff("boss");
    let body = json!({"name": "Ada", "company": "Acme"});
    post(&boss, "/api/developers/", "k", &body).refused(400);
    boss.post(
        "/api/companies/",
        &json!({"name": "Acme", "founded_year": 1999}),
    )
    .created();
    assert_eq!(
        post(&boss, "/api/developers/", "k", &body).header("idempotency-replayed"),
        None
    );
    assert_eq!(
        post(&boss, "/api/developers/", "k", &body).header("idempotency-replayed"),
        Some("true")
    );
}

#[test]
fn twins_in_flight_are_one() {
    let app = App::new();
    let ada = app.user("ada");
    for round in 0..5 {
        let key = format!("twin-{round}");
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let twins: Vec<_> = (0..6)
                .map(|_| {
                    scope.spawn(|| post(&ada, "/api/projects/", &key, &json!({"name": "Twin"})))
                })
                .collect();
            twins.into_iter().map(|twin| twin.join().unwrap()).collect()
        });
        let first = answers
            .iter()
            .filter(|answer| answer.header("idempotency-replayed").is_none())
            .count();
        assert_eq!(first, 1);
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == 201 && answer.body == answers[0].body)
        );
    }
    assert_eq!(ada.get("/api/projects/").names().len(), 5);
}

#[test]
fn a_key_that_is_none_is_refused_and_without_a_user_it_is_passed_over() {
    let app = App::new();
    let ada = app.user("ada");
    for key in ["", "a b", &"k".repeat(256), "é"] {
        let refused = post(&ada, "/api/projects/", key, &json!({"name": "x"})).refused(400);
        assert_eq!(refused["code"], "idempotency_key_malformed", "{key}");
    }
    assert_eq!(
        post(
            &ada,
            "/api/projects/",
            &"k".repeat(255),
            &json!({"name": "x"})
        )
        .status,
        201
    );
    let credentials = json!({"username": "ada", "password": PASSWORD});
    for key in ["k", "a b", "k"] {
        let answer = post(&app.anonymous(), "/api/token/", key, &credentials);
        assert_eq!(
            (answer.status, answer.header("idempotency-replayed")),
            (200, None)
        );
    }
}

#[test]
fn keys_are_forgotten_after_a_day_and_hold_nothing_of_a_password() {
    let app = App::new();
    let boss = app.staff("boss");
    let body = json!({"name": "Engine"});
    post(&boss, "/api/projects/", "k", &body).created();
    post(
        &boss,
        "/api/users/",
        "u",
        &json!({"username": "new", "password": "another horse staple"}),
    )
    .created();
    let age = |days: i64| {
        let then = Stamp::now().days_before(days);
        app.db
            .write_blocking(move |conn| {
                diesel::update(idempotency_keys::table)
                    .set(idempotency_keys::created_at.eq(then))
                    .execute(conn)?;
                let rows: Vec<(String, String)> = idempotency_keys::table
                    .select((idempotency_keys::fingerprint, idempotency_keys::body))
                    .load(conn)?;
                Ok::<_, Error>(rows)
            })
            .unwrap()
    };
    let rows = age(0);
    assert_eq!(rows.len(), 2);
    assert!(!format!("{rows:?}").contains("horse") && !format!("{rows:?}").contains("argon2"));
    assert_eq!(
        post(&boss, "/api/projects/", "k", &body).header("idempotency-replayed"),
        Some("true")
    );
    age(2);
    assert_eq!(
        post(&boss, "/api/projects/", "k", &json!({"name": "Other"}))
            .header("idempotency-replayed"),
        None
    );
    assert_eq!(age(0).len(), 1, "the other one is purged");
}
