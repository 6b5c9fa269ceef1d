//! Questions that take too long, and those whose clients have gone: both end in the database.

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection as _;
use roster::{
    db::{Error, readers},
    limits::{Rate, Rates},
    server::Settings,
    urls::Proxies,
};
use serde_json::json;

use crate::support::{App, Options};

/// A directory whose list of skills never comes to an end.
fn endless(query_timeout: Option<Duration>) -> App {
    endless_within(query_timeout, Rates::OFF)
}

fn endless_within(query_timeout: Option<Duration>, rates: Rates) -> App {
    let app = App::with(Options {
        query_timeout,
        server: Settings {
            rates,
            proxies: Proxies(vec!["127.0.0.0/8".parse().unwrap()]),
            ..Settings::default()
        },
        ..Options::default()
    });
    app.db
        .write_blocking(|conn| {
            conn.batch_execute(
                "ALTER TABLE skills RENAME TO other_skills;
                 CREATE VIEW skills AS
                     WITH RECURSIVE numbers (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM numbers)
                     SELECT x AS id, '' AS name, '' AS name_key, '' AS name_words,
                            '' AS category, '' AS category_key, '' AS category_words
                     FROM numbers WHERE x < 0",
            )?;
            Ok::<_, Error>(())
        })
        .unwrap();
    app
}

#[test]
fn a_question_that_takes_too_long_is_ended_and_its_connection_serves_on() {
    let app = endless(Some(Duration::from_millis(200)));
    // More often than there are connections: each is free again.
    for _ in 0..=readers() * 2 {
        let answer = app.get("/api/skills/");
        assert_eq!(answer.header("retry-after"), None);
        assert_eq!(
            answer.refused(503),
            json!({"detail": "The query took too long.", "code": "query_timeout"})
        );
    }
    app.get("/api/companies/").ok();
}

/// Clients that ask for what never comes, once so many of them are being answered.
fn ask_in_vain(app: &App, answered: u32) -> Vec<TcpStream> {
    let before = app.db.statements();
    let clients = (0..readers()).map(|_| {
        let mut client = TcpStream::connect(app.address).unwrap();
        let request = "GET /api/skills/ HTTP/1.1\r\nhost: localhost\r\n\r\n";
        client.write_all(request.as_bytes()).unwrap();
        client
    });
    let clients = clients.collect();
    while app.db.statements() < before + u64::from(answered) {
        std::thread::sleep(Duration::from_millis(10));
    }
    clients
}

fn of_a_minute(requests: u32) -> Rate {
    Rate::Of {
        requests,
        window: Duration::from_mins(1),
    }
}

#[test]
fn a_slow_question_is_worth_many_fast_ones() {
    let timeout = Some(Duration::from_millis(300));
    for (address, anon) in [(of_a_minute(20), Rate::Off), (Rate::Off, of_a_minute(20))] {
        let rates = Rates {
            address,
            anon,
            query_budget: Some(Duration::from_millis(10)),
            ..Rates::OFF
        };
        let app = endless_within(timeout, rates);
        assert_eq!(app.get("/api/skills/").status, 503);
        // It is charged when it has ended, which is soon.
        let mut answers = (0..19).map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            app.get("/api/companies/")
        });
        let refused = answers.find(|answer| answer.status != 200).unwrap();
        let wait: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert_eq!(refused.status, 429, "{}", refused.body);
        let other = [("x-forwarded-for", "198.51.100.1")];
        app.send("GET", "/api/companies/", &other).ok();
    }
}

#[test]
fn one_address_leaves_half_of_the_connections_to_others() {
    let rates = Rates {
        address: of_a_minute(1_000),
        query_budget: Some(Duration::from_secs(1)),
        ..Rates::OFF
    };
    let app = endless_within(None, rates);
    let clients = ask_in_vain(&app, readers() / 2);
    let other = [("x-forwarded-for", "198.51.100.1")];
    for _ in 0..10 {
        app.send("GET", "/api/companies/", &other).ok();
    }
    drop(clients);
}

#[test]
fn what_a_client_asked_that_has_gone_is_ended() {
    let app = endless(None);
    drop(ask_in_vain(&app, readers()));
    // All connections were busy for ever; now each of them comes free.
    let begun = Instant::now();
    while app.get("/api/companies/").status != 200 {
        assert!(begun.elapsed() < Duration::from_mins(1), "they go on");
    }
}
