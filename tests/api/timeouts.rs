//! Questions that take too long, and those whose clients have gone: both end in the database.

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection as _;
use roster::db::{Error, readers};
use serde_json::json;

use crate::support::{App, Options};

/// A directory whose list of skills never comes to an end.
fn endless(query_timeout: Option<Duration>) -> App {
    let app = App::with(Options {
        query_timeout,
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

#[test]
fn what_a_client_asked_that_has_gone_is_ended() {
    let app = endless(None);
    let before = app.db.statements();
    let clients: Vec<TcpStream> = (0..readers())
        .map(|_| {
            let mut client = TcpStream::connect(app.address).unwrap();
            let request = "GET /api/skills/ HTTP/1.1\r\nhost: localhost\r\n\r\n";
            client.write_all(request.as_bytes()).unwrap();
            client
        })
        .collect();
    while app.db.statements() < before + u64::from(readers()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(clients);
    // All connections were busy for ever; now each of them comes free.
    let begun = Instant::now();
    while app.get("/api/companies/").status != 200 {
        assert!(begun.elapsed() < Duration::from_mins(1), "they go on");
    }
}
