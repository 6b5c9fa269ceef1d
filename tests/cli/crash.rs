//! A server that is killed at any moment has lost nothing that it acknowledged.

use std::{
    collections::HashSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use diesel::prelude::*;
use roster::{
    auth::{Claims, Keys, Secret, TokenType},
    db::{
        Db, DbConnection, Error, Stamp,
        schema::{audit, projects},
    },
};
use serde_json::json;

use crate::support::{Place, SECRET, Served, add_user};

const CONNECTIONS: usize = 32;

/// As many kills as `ROSTER_CRASH_ROUNDS` says, or a few.
fn rounds() -> u32 {
    let rounds = std::env::var("ROSTER_CRASH_ROUNDS").ok();
    rounds.map_or(5, |rounds| rounds.parse().unwrap())
}

/// Sends projects over many connections until the server is gone, and returns the names of those it has acknowledged.
fn post_until_killed(served: &Served, token: &str, round: u32, life: Duration) -> HashSet<String> {
    let acknowledged = Mutex::new(HashSet::new());
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                for number in 0.. {
                    let name = format!("{round} {connection} {number}");
                    let request = agent
                        .post(format!("{}projects/", served.api))
                        .header("authorization", format!("Bearer {token}"))
                        .header("content-type", "application/json");
                    match request.send(json!({"name": name}).to_string()) {
                        Ok(answer) => {
                            assert_eq!(answer.status(), 201);
                            acknowledged.lock().unwrap().insert(name);
                        }
                        Err(_) => return,
                    }
                }
            });
        }
        let begun = Instant::now();
        // At least something is to be lost.
        while begun.elapsed() < life || acknowledged.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        served.signal("-KILL");
    });
    acknowledged.into_inner().unwrap()
}

/// What SQLite finds wrong with the file.
fn complaints(db: &Db) -> Vec<String> {
    let found = db.read_blocking(|conn| {
        let mut complaints: Vec<String> = Vec::new();
        let pragma = |sql| diesel::dsl::sql::<diesel::sql_types::Text>(sql);
        match conn {
            DbConnection::Sqlite(conn) => {
                let integrity = pragma("integrity_check FROM pragma_integrity_check");
                complaints.extend(diesel::select(integrity).load::<String>(conn)?);
                let keys = pragma("\"table\" FROM pragma_foreign_key_check");
                complaints.extend(diesel::select(keys).load::<String>(conn)?);
            }
            // PostgreSQL is not what is killed.
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(_) => {}
        }
        Ok::<_, Error>(complaints)
    });
    let mut complaints = found.unwrap();
    complaints.retain(|complaint| complaint != "ok");
    complaints
}

#[test]
fn whatever_was_acknowledged_is_there_after_a_kill() {
    let place = Place::new();
    let db = place.open();
    let id = add_user(&db, "ada", false);
    drop(db);
    let now = Stamp::now().seconds();
    let claims = Claims::new(TokenType::Access, id, false, (now, now + 36_000)).unwrap();
    let token = Keys::new(&Secret::new(SECRET.to_owned()).unwrap())
        .sign(&claims)
        .unwrap();
    let url = place.url();
    let args = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
    let mut acknowledged = HashSet::new();
    for round in 0..rounds() {
        let served = Served::start(&args, &[("ROSTER_SECRET_KEY", SECRET)], 0);
        let life = Duration::from_millis(20 + u64::from(round * 37 % 100));
        acknowledged.extend(post_until_killed(&served, &token, round, life));
        drop(served);

        let db = place.open();
        assert_eq!(complaints(&db), [""; 0]);
        let (stored, recorded) = db
            .read_blocking(|conn| {
                let stored: Vec<(i64, String)> = projects::table
                    .select((projects::id, projects::name))
                    .load(conn)?;
                let recorded: Vec<Option<i64>> = audit::table
                    .filter(audit::action.eq("create"))
                    .filter(audit::object_type.eq("project"))
                    .select(audit::object_id)
                    .load(conn)?;
                Ok::<_, Error>((stored, recorded))
            })
            .unwrap();
        db.close();
        let names: HashSet<String> = stored.iter().map(|(_, name)| name.clone()).collect();
        let lost: Vec<&String> = acknowledged.difference(&names).collect();
        assert!(lost.is_empty(), "round {round}: lost {lost:?}");
        // A line for each, and each for a line.
        let mut ids: Vec<Option<i64>> = stored.iter().map(|(id, _)| Some(*id)).collect();
        let mut recorded = recorded;
        ids.sort_unstable();
        recorded.sort_unstable();
        assert_eq!(ids, recorded, "round {round}");
    }
}
