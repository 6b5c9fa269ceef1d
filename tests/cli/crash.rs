//! A server that is killed at any moment has lost nothing that it acknowledged.

use std::{
    collections::HashSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::prelude::*;
use roster::db::{
    Error,
    schema::{audit, projects},
};
use serde_json::json;

use super::files::read_from_outside;
use crate::support::{Place, SECRET, Served, add_user};

const CONNECTIONS: usize = 32;

/// As many kills as `ROSTER_CRASH_ROUNDS` says, or a few.
fn rounds() -> u32 {
    let rounds = std::env::var("ROSTER_CRASH_ROUNDS").ok();
    rounds.map_or(5, |rounds| rounds.parse().unwrap())
}

/// Sends projects over many connections until the server is gone, and returns the names of those it has acknowledged.
/// Meanwhile other programs open, read and close the file of an embedded database.
fn post_until_killed(
    (place, served): (&Place, &Served),
    token: &str,
    round: u32,
    life: Duration,
) -> HashSet<String> {
    let acknowledged = Mutex::new(HashSet::new());
    let killed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if !place.url().starts_with("postgres") {
            scope.spawn(|| {
                while !killed.load(Ordering::Relaxed) {
                    read_from_outside(place);
                }
            });
        }
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
        killed.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner().unwrap()
}

#[expect(clippy::print_stdout, reason = "what many rounds have shown")]
#[test]
fn whatever_was_acknowledged_is_there_after_a_kill() {
    let place = Place::new();
    let db = place.open();
    add_user(&db, "ada", false);
    drop(db);
    let url = place.url();
    let args = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
    let environment = [
        ("ROSTER_SECRET_KEY", SECRET),
        ("ROSTER_ACCESS_TOKEN_LIFETIME", "1d"),
    ];
    let token = Served::start(&args, &environment, 0).sign_in("ada");
    let mut acknowledged = HashSet::new();
    for round in 0..rounds() {
        let served = Served::start(&args, &environment, 0);
        let life = Duration::from_millis(100 + u64::from(round * 37 % 400));
        acknowledged.extend(post_until_killed((&place, &served), &token, round, life));
        drop(served);

        let db = place.open();
        let (faults, stored, recorded) = db
            .read_blocking(|conn| {
                let stored: Vec<(i64, String)> = projects::table
                    .select((projects::id, projects::name))
                    .load(conn)?;
                let recorded: Vec<Option<i64>> = audit::table
                    .filter(audit::action.eq("create"))
                    .filter(audit::object_type.eq("project"))
                    .select(audit::object_id)
                    .load(conn)?;
                Ok::<_, Error>((conn.faults()?, stored, recorded))
            })
            .unwrap();
        db.close();
        assert_eq!(faults, [""; 0], "round {round}");
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
    println!(
        "{} kills, {} rows acknowledged, none lost",
        rounds(),
        acknowledged.len()
    );
}
