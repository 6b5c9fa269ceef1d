//! Limits: who is let through how often, what the others are told, and whom it costs nothing.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use roster::{
    limits::{Rate, Rates},
    server::Settings,
    urls::Proxies,
};
use serde_json::json;

use crate::support::{Answer, App, Options, add_company, add_user};

const fn a_minute(requests: u32) -> Rate {
    Rate::Of {
        requests,
        window: Duration::from_mins(1),
    }
}

fn limited(rates: Rates) -> App {
    App::with(Options {
        server: Settings {
            rates,
            workers: 2,
            proxies: Proxies(vec!["127.0.0.0/8".parse().unwrap()]),
            ..Settings::default()
        },
        ..Options::default()
    })
}

/// A request of somebody at that address.
fn from(app: &App, address: &str, method: &str, path: &str) -> Answer {
    app.send(method, path, &[("x-forwarded-for", address)])
}

/// How far it is to the nearest limit: `("anon", 19)`.
pub fn nearest(answer: &Answer) -> (String, u32) {
    let header = answer.header("ratelimit").unwrap();
    let mut parts = header.split(';');
    let name = parts.next().unwrap().trim_matches('"').to_owned();
    let remaining = parts.next().unwrap().strip_prefix("r=").unwrap();
    let reset: u64 = parts.next().unwrap()[2..].parse().unwrap();
    let policy = answer.header("ratelimit-policy").unwrap();
    assert!(policy.starts_with(&format!("\"{name}\";q=")), "{policy}");
    let window = policy.split(";w=").nth(1).unwrap().parse().unwrap();
    assert!((1..=window).contains(&reset), "{header} {policy}");
    (name, remaining.parse().unwrap())
}

#[test]
fn of_a_thousand_requests_at_once_as_many_pass_as_the_limit_says() {
    let app = limited(Rates {
        address: a_minute(100),
        ..Rates::OFF
    });
    let (passed, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let statements = app.statements(|| {
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        match app.get("/api/companies/").status {
                            200 => passed.fetch_add(1, Ordering::Relaxed),
                            429 => refused.fetch_add(1, Ordering::Relaxed),
                            other => panic!("{other}"),
                        };
                    }
                });
            }
        });
    });
    assert_eq!((passed.into_inner(), refused.into_inner()), (100, 900));
    assert_eq!(statements, 100, "what was refused reached a handler");
}

#[test]
fn an_address_over_the_limit_is_told_when_to_come_back() {
    let app = limited(Rates {
        address: a_minute(2),
        ..Rates::OFF
    });
    let first = app.get("/api/");
    assert_eq!(nearest(&first), ("address".to_owned(), 1));
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"address\";q=2;w=60")
    );
    assert_eq!(app.get("/api/nothing/").status, 404);
    // Before routing, before credentials are looked at.
    for path in ["/api/", "/api/nothing/", "/elsewhere"] {
        let answer = app.send("GET", path, &[("authorization", "Bearer x")]);
        let wait = answer.header("retry-after").unwrap().to_owned();
        assert_eq!(nearest(&answer), ("address".to_owned(), 0));
        let seconds: u32 = wait.parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(
            answer.refused(429),
            json!({"error": format!("Rate limit exceeded. Try again in {wait} seconds.")})
        );
    }
    // Others are not concerned, and neither is whoever watches over the server.
    assert_eq!(from(&app, "198.51.100.1", "GET", "/api/").status, 200);
    for path in ["/healthz", "/readyz", "/healthz/", "/readyz/"] {
        let answer = app.get(path);
        assert_eq!(answer.header("ratelimit"), None);
        assert_eq!(answer.ok(), json!({"status": "ok"}));
    }
}

#[test]
fn an_address_is_what_trusted_proxies_say_and_a_network_of_ipv6() {
    let app = limited(Rates {
        address: a_minute(3),
        ..Rates::OFF
    });
    for (forwarded, remaining) in [
        ("198.51.100.1", 2),
        ("203.0.113.9, 198.51.100.1", 1),
        ("198.51.100.1, 127.0.0.9", 0),
        ("203.0.113.9", 2),
        ("2001:db8:0:1::1", 2),
        ("2001:db8:0:1:ffff::2", 1),
        ("2001:db8:0:2::1", 2),
        ("::ffff:203.0.113.9", 1),
    ] {
        let answer = from(&app, forwarded, "GET", "/api/");
        assert_eq!(nearest(&answer).1, remaining, "{forwarded}");
    }
    let alone = App::with(Options {
        server: Settings {
            rates: Rates {
                address: a_minute(3),
                ..Rates::OFF
            },
            ..Settings::default()
        },
        ..Options::default()
    });
    for remaining in [2, 1, 0] {
        let forged = format!("198.51.100.{remaining}");
        assert_eq!(nearest(&from(&alone, &forged, "GET", "/api/")).1, remaining);
    }
}

#[test]
fn the_audit_trail_and_links_know_the_client_behind_the_proxy() {
    let app = limited(Rates::OFF);
    let boss = app.staff("boss");
    let bearer = format!("Bearer {}", boss.access.as_ref().unwrap());
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("x-forwarded-for", "203.0.113.9, 198.51.100.1"),
        ("x-forwarded-proto", "https"),
        ("host", "directory.example"),
    ];
    let body = json!({"name": "Rust", "category": "Language"}).to_string();
    let answer = app.send_body("POST", "/api/skills/", &headers, body);
    assert_eq!(
        answer.header("location"),
        Some("https://directory.example/api/skills/1/")
    );
    let last = &boss.get("/api/audit/?object_type=skill").ok()["results"][0];
    assert_eq!(last["address"], "198.51.100.1");
}

#[test]
fn users_are_counted_as_users_and_others_by_address() {
    let app = limited(Rates {
        address: a_minute(1_000),
        anon: a_minute(6),
        user: a_minute(5),
        login: Rate::Off,
        ..Rates::OFF
    });
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let (ada, boss) = (app.user("ada"), app.staff("boss"));
    // Signing in took two of the address's.
    assert_eq!(nearest(&app.get("/api/companies/")), ("anon".to_owned(), 3));
    // What is refused for who asks, or goes nowhere, is not counted.
    for (path, status) in [("/api/nothing/", 404), ("/api/projects/", 401)] {
        let answer = app.get(path);
        assert_eq!(nearest(&answer).0, "address", "{path}");
        assert_eq!(answer.status, status);
    }
    assert_eq!(app.send("DELETE", "/api/companies/", &[]).status, 405);
    let bad = app.send("GET", "/api/companies/", &[("authorization", "Bearer x")]);
    assert_eq!((bad.status, nearest(&bad).0), (401, "address".to_owned()));
    assert_eq!(ada.get("/api/users/").status, 403);
    // What is wrong in itself is.
    assert_eq!(nearest(&app.get("/api/companies/?colour=red")).1, 2);
    assert_eq!(nearest(&app.get("/api/companies/99/")).1, 1);
    assert_eq!(nearest(&app.get("/api/companies/")).1, 0);
    let refused = app.get("/api/companies/");
    assert_eq!(nearest(&refused), ("anon".to_owned(), 0));
    let wait = refused.header("retry-after").unwrap().to_owned();
    assert_eq!(
        refused.refused(429),
        json!({
            "detail": format!("Request was throttled. Expected available in {wait} seconds."),
            "code": "throttled"
        })
    );
    // Others go on: another address, and users, each with a count of their own.
    assert_eq!(
        from(&app, "198.51.100.1", "GET", "/api/companies/").status,
        200
    );
    for remaining in (0..5).rev() {
        let answer = ada.get("/api/companies/");
        assert_eq!(nearest(&answer), ("user".to_owned(), remaining));
    }
    assert_eq!(ada.get("/api/companies/").status, 429);
    assert_eq!(boss.get("/api/companies/").status, 200);
    // The throttle comes before the body and the object.
    assert_eq!(ada.post("/api/projects/", &json!(7)).status, 429);
    assert_eq!(ada.delete("/api/projects/99/").status, 429);
}

#[test]
fn guesses_at_a_password_are_counted_by_address_and_name() {
    let app = limited(Rates {
        login: a_minute(3),
        anon: a_minute(100),
        ..Rates::OFF
    });
    add_user(&app.db, "ada", false);
    let guess = |address: &str, username: &str| {
        let body = json!({"username": username, "password": "guess"}).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", address),
        ];
        app.send_body("POST", "/api/token/", &headers, body)
    };
    for (username, remaining) in [("ada", 2), ("ADA", 1), ("Ada", 0)] {
        let answer = guess("198.51.100.1", username);
        assert_eq!(nearest(&answer), ("login".to_owned(), remaining));
        assert_eq!(answer.status, 401);
    }
    let statements = app.statements(|| assert_eq!(guess("198.51.100.1", "ada").status, 429));
    assert_eq!(statements, 0, "it was tried all the same");
    assert_eq!(guess("198.51.100.1", "grace").status, 401);
    assert_eq!(guess("198.51.100.2", "ada").status, 401);
    let nobody = app
        .anonymous()
        .post("/api/token/", &json!({"password": "x"}));
    assert_eq!(nearest(&nobody).0, "anon", "there is no name to count for");
}

#[test]
fn what_is_off_says_nothing() {
    let app = limited(Rates::OFF);
    for _ in 0..150 {
        let answer = app.get("/api/");
        assert_eq!(answer.header("ratelimit"), None);
        assert_eq!(answer.status, 200);
    }
}
