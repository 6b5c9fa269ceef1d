//! Signing in tells nobody who there is, and cannot be tried without end.

use std::time::Duration;

use diesel::prelude::*;
use roster::{
    auth::Kind,
    db::{DbConnection, Error, Stamp, schema::users},
    limits::{Rate, Rates},
    models::{Candidate, Origin},
    server::Settings,
    urls::Proxies,
};
use serde_json::{Value, json};

use super::limits::nearest;
use crate::support::{Answer, App, Options, PASSWORD, add_user};

const ARGON2: &str =
    "$argon2id$v=19$m=64,t=3,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=";

fn with_hash(app: &App, username: &str, hash: &str) -> i64 {
    let id = add_user(&app.db, username, false);
    let hash = hash.to_owned();
    app.db
        .write_blocking(move |conn| {
            let password = users::password.eq(hash);
            diesel::update(users::table.find(id))
                .set(password)
                .execute(conn)?;
            Ok::<_, Error>(())
        })
        .unwrap();
    id
}

fn candidate(app: &App, username: &'static str, address: &str) -> Candidate {
    let origin = Origin {
        address: Some(address.to_owned()),
        user_agent: String::new(),
    };
    let find = move |conn: &mut DbConnection| {
        Ok::<_, Error>(Candidate::find(conn, username, &origin, Stamp::now())?)
    };
    app.db.read_blocking(find).unwrap()
}

#[test]
fn an_attempt_knows_every_kind_of_hash_that_is_stored() {
    let app = App::new();
    let kinds = |username| candidate(&app, username, "").kinds;
    assert_eq!(kinds("ada"), []);
    add_user(&app.db, "ada", false);
    add_user(&app.db, "bob", false);
    with_hash(&app, "argon", ARGON2);
    with_hash(&app, "none", "");
    with_hash(&app, "unusable", "!nothing");
    for rounds in ["1000", "260000", "600000", "600001"] {
        for twice in ["a", "b"] {
            let hash = DJANGO.replace("1000", rounds);
            with_hash(&app, &format!("{twice}{rounds}"), &hash);
        }
    }
    // Brought in before there were bounds: it opens nothing, and costs nothing.
    with_hash(&app, "costly", &DJANGO.replace("1000", "9000000"));
    with_hash(
        &app,
        "costly2",
        &ARGON2.replace("m=64,t=3", "m=1048576,t=64"),
    );
    let gone = with_hash(&app, "gone", &DJANGO.replace("1000", "870000"));
    app.db
        .write_blocking(move |conn| {
            let row = users::table.find(gone);
            diesel::update(row)
                .set(users::is_active.eq(false))
                .execute(conn)?;
            Ok::<_, Error>(())
        })
        .unwrap();
    let expected = [
        Kind::CURRENT,
        Kind::Argon2id {
            memory_kib: 64,
            passes: 3,
            lanes: 1,
        },
        Kind::Pbkdf2 { rounds: 1_000 },
        Kind::Pbkdf2 { rounds: 260_000 },
        Kind::Pbkdf2 { rounds: 600_000 },
        Kind::Pbkdf2 { rounds: 600_001 },
    ];
    for username in ["ada", "argon", "gone", "nobody"] {
        assert_eq!(kinds(username), expected, "{username}");
    }
    // The work that is left and the user's own make the same for all.
    let all = |username| {
        let candidate = candidate(&app, username, "");
        let own = candidate.hash().and_then(|hash| hash.kind());
        let rest = Kind::rest(own, &candidate.kinds);
        let (mut argon2, mut rounds) = (Vec::new(), 0);
        for kind in rest.into_iter().chain(own) {
            match kind {
                Kind::Pbkdf2 { rounds: some } => rounds += some,
                kind @ Kind::Argon2id { .. } => argon2.push(kind),
            }
        }
        argon2.sort();
        (argon2, rounds)
    };
    for username in [
        "ada", "argon", "gone", "none", "costly", "a260000", "b600001",
    ] {
        assert_eq!(all(username), all("nobody"), "{username}");
    }
    assert_eq!(all("nobody").1, 600_001);
}

#[test]
fn what_costs_too_much_is_not_tried() {
    let app = App::new();
    with_hash(&app, "costly", &DJANGO.replace("1000", "4000000000"));
    let body = json!({"username": "costly", "password": "correct horse"});
    app.anonymous().post("/api/token/", &body).refused(401);
}

const fn an_hour(requests: u32) -> Rate {
    Rate::Of {
        requests,
        window: Duration::from_hours(1),
    }
}

fn limited(rates: Rates) -> App {
    App::with(Options {
        server: Settings {
            rates,
            proxies: Proxies(vec!["127.0.0.0/8".parse().unwrap()]),
            ..Settings::default()
        },
        ..Options::default()
    })
}

fn sign_in(app: &App, address: &str, username: &str, password: &str) -> Answer {
    let body = json!({"username": username, "password": password}).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", address),
    ];
    app.send_body("POST", "/api/token/", &headers, body)
}

#[test]
fn guesses_from_everywhere_are_counted_by_name() {
    let app = limited(Rates {
        account: an_hour(3),
        ..Rates::OFF
    });
    add_user(&app.db, "ada", false);
    // She is signed in at home. What succeeds is not counted.
    for _ in 0..5 {
        assert_eq!(sign_in(&app, "198.51.100.1", "ada", PASSWORD).status, 200);
    }
    for username in ["ada", "nobody"] {
        for (number, name) in [username, &username.to_uppercase(), username]
            .into_iter()
            .enumerate()
        {
            let answer = sign_in(&app, &format!("203.0.113.{number}"), name, "wrong");
            let left = u32::try_from(2 - number).unwrap();
            assert_eq!(nearest(&answer), ("account".to_owned(), left));
            assert_eq!(answer.status, 401);
        }
        let statements = app.statements(|| {
            let answer = sign_in(&app, "203.0.113.9", username, PASSWORD);
            assert_eq!(nearest(&answer), ("account".to_owned(), 0));
            assert!(answer.header("retry-after").is_some());
            assert_eq!(answer.refused(429)["code"], "throttled");
        });
        assert!(statements < 10, "{statements}");
    }
    // At home she may err and sign in all the same.
    for _ in 0..5 {
        assert_eq!(sign_in(&app, "198.51.100.1", "ada", "wrong").status, 401);
    }
    assert_eq!(sign_in(&app, "198.51.100.1", "Ada", PASSWORD).status, 200);
    assert_eq!(sign_in(&app, "198.51.100.2", "ada", PASSWORD).status, 429);
    add_user(&app.db, "bob", false);
    assert_eq!(sign_in(&app, "203.0.113.9", "bob", PASSWORD).status, 200);
}

#[test]
fn of_guesses_at_once_no_more_fail_than_the_limit_says() {
    let app = limited(Rates {
        account: an_hour(5),
        ..Rates::OFF
    });
    add_user(&app.db, "ada", false);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let app = &app;
        let guess = |number: u8| {
            let address = format!("203.0.113.{number}");
            scope.spawn(move || sign_in(app, &address, "ada", "wrong").status)
        };
        let guesses: Vec<_> = (0..20).map(guess).collect();
        guesses
            .into_iter()
            .map(|guess| guess.join().unwrap())
            .collect()
    });
    let tried = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(tried, 5, "{statuses:?}");
}

#[test]
fn a_guess_at_the_current_password_is_a_guess() {
    let app = limited(Rates {
        login: an_hour(4),
        ..Rates::OFF
    });
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    let set = |current: &str| {
        let body = json!({"current_password": current, "new_password": "analytical engine"});
        ada.post("/api/users/me/password/", &body)
    };
    // The sign-in was the first of the four.
    for left in [2, 1, 0] {
        let answer = set("wrong");
        assert_eq!(nearest(&answer), ("login".to_owned(), left));
        assert_eq!(
            answer.refused(400),
            json!({"current_password": ["Your old password was entered incorrectly. Please enter it again."]})
        );
    }
    assert_eq!(set(PASSWORD).refused(429)["code"], "throttled");
    let again = json!({"username": "ADA", "password": PASSWORD});
    assert_eq!(app.anonymous().post("/api/token/", &again).status, 429);
    let page = boss.get("/api/audit/?action=login_failed").ok();
    let lines = page["results"].as_array().unwrap();
    assert_eq!(lines.len(), 3);
    for line in lines {
        assert_eq!(
            (&line["user"], &line["object_id"], &line["object_type"]),
            (&json!("ada"), &json!(ada.id), &json!("user"))
        );
        assert_eq!(line["changes"], Value::Object(serde_json::Map::new()));
    }
}
