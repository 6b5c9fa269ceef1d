//! Durable writes of the release binary under load, beside single-row commits by hand, and reads while it writes.
//!
//! `cargo bench --bench write` (it needs `wrk`, and the machine for itself, for about two minutes)

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that fails has nothing to say, and prints"
)]

mod common;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use common::{
    caller::signed_in,
    raw::Connection,
    served::{SECRET, Served, median, rate_of, rate_of_script, ratio, remove, roster},
};
use roster::{
    db::{Db, Readiness, Stamp, Target},
    models::UserDraft,
};
use serde_json::{Value, json};

/// Runs of each timing, in turn with what it is held against; the middle one counts.
const RUNS: usize = 5;
/// That each measurement of requests lasts.
const SECONDS: f64 = 3.0;
/// Developers of a bulk.
const MANY: usize = 10_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    commits(&path);
    reads_beside_writes(&path);
    bulk(&path);
}

/// POSTs of a project to commits of such a row: with the table's indices and its search, and of a table without any.
fn commits(path: &impl Fn(&str) -> String) {
    let database = path("commits.db");
    let script = path("post.lua");
    let token = with_staff(&database);
    fs::write(&script, post(&token)).unwrap();
    let served = Served::start(&database);
    let url = format!("{}projects/", served.api);
    let (mut many, mut one, mut rows, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        many.push(rate_of_script("64", SECONDS, &script, &url));
        rows.push(by_hand(&path("hand.db"), INSERT_PROJECT));
        one.push(rate_of_script("1", SECONDS, &script, &url));
        bare.push(by_hand(&path("bare.db"), INSERT_BARE));
    }
    let (rows, bare) = (median(&mut rows), median(&mut bare));
    let (many, one) = (median(&mut many), median(&mut one));
    ratio(
        "POSTs of a project by 64, to commits of its row by hand (/s)",
        many,
        rows,
    );
    ratio(
        "POSTs of a project by 1, to commits of its row by hand (/s)",
        one,
        rows,
    );
    ratio(
        "POSTs of a project by 64, to commits to a table without indices (/s)",
        many,
        bare,
    );
    ratio(
        "POSTs of a project by 1, to commits to a table without indices (/s)",
        one,
        bare,
    );
}

/// Reads while 16 write, to reads alone.
fn reads_beside_writes(path: &impl Fn(&str) -> String) {
    let database = path("reads.db");
    let script = path("post.lua");
    remove(&database);
    roster(&[
        "import",
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo"),
        "--database-url",
        &database,
    ]);
    let token = with_staff(&database);
    fs::write(&script, post(&token)).unwrap();
    let served = Served::start(&database);
    let (list, projects) = (
        format!("{}developers/", served.api),
        format!("{}projects/", served.api),
    );
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        alone.push(rate_of("32", SECONDS, &list));
        let rate = thread::scope(|scope| {
            let writes = scope.spawn(|| rate_of_script("16", SECONDS + 1.0, &script, &projects));
            thread::sleep(Duration::from_millis(500));
            let rate = rate_of("32", SECONDS, &list);
            println!("  while there are {:.0} writes/s", writes.join().unwrap());
            rate
        });
        beside.push(rate);
    }
    ratio(
        "pages while 16 write, to pages alone (/s)",
        median(&mut beside),
        median(&mut alone),
    );
}

/// A bulk over HTTP to `import` of the same rows.
fn bulk(path: &impl Fn(&str) -> String) {
    let demo = |name: &str| format!("{}/src/demo/{name}.csv", env!("CARGO_MANIFEST_DIR"));
    let body = developers().to_string();
    fs::write(path("developers.json"), &body).unwrap();
    let (mut posted, mut imported) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        for name in ["posted.db", "imported.db"] {
            let database = path(name);
            remove(&database);
            roster(&[
                "import",
                &demo("companies"),
                &demo("skills"),
                "--database-url",
                &database,
            ]);
        }
        let token = with_staff(&path("posted.db"));
        let served = Served::start(&path("posted.db"));
        let begun = Instant::now();
        let answer = ureq::post(format!("{}developers/", served.api))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(&body)
            .unwrap();
        assert_eq!(answer.status(), 201);
        answer
            .into_body()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()
            .unwrap();
        posted.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        roster(&[
            "import",
            &path("developers.json"),
            "--database-url",
            &path("imported.db"),
        ]);
        imported.push(begun.elapsed().as_secs_f64());
    }
    ratio(
        "10,000 developers in a POST, to import of them (s)",
        median(&mut posted),
        median(&mut imported),
    );
}

/// A staff user in the database, which is made when it is not there; an access token of that user.
fn with_staff(database: &str) -> String {
    let target: Target = database.parse().unwrap();
    let db = Db::open(&target, Readiness::CreateWhenNew).unwrap();
    let draft = UserDraft {
        username: "ada".to_owned(),
        is_staff: true,
        ..UserDraft::new(Stamp::now())
    };
    let (_, token) = signed_in(&db, draft, SECRET);
    db.close();
    token
}

fn post(token: &str) -> String {
    format!(
        "wrk.method = 'POST'
         wrk.body = '{{\"name\": \"Engine\", \"description\": \"analytical\"}}'
         wrk.headers['Content-Type'] = 'application/json'
         wrk.headers['Authorization'] = 'Bearer {token}'"
    )
}

const INSERT_PROJECT: &str = "INSERT INTO projects (name, name_key, name_words, description, description_words, owner_id, created_at, updated_at)
     VALUES ('Engine', 'engine', 'engine', 'analytical', 'analytical', 1, strftime('%Y-%m-%d %H:%M:%f000', 'now'), '2026-01-01 00:00:00.000000')";
const INSERT_BARE: &str = "INSERT INTO bare (name, description, owner_id, created_at, updated_at)
     VALUES ('Engine', 'analytical', 1, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')";

/// Commits of one row a second, each on disk before the next.
fn by_hand(database: &str, insert: &str) -> f64 {
    remove(database);
    with_staff(database);
    let connection = Connection::open(database);
    connection
        .run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    connection.run(
        "CREATE TABLE bare (id INTEGER PRIMARY KEY, name TEXT, description TEXT, owner_id INTEGER, created_at TEXT, updated_at TEXT)",
    );
    let insert = connection.prepare(insert);
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed().as_secs_f64() < SECONDS {
        insert.run();
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

/// As many developers as a request may have, with companies and skills of the sample directory.
fn developers() -> Value {
    let sample: Vec<Vec<String>> = csv::Reader::from_path(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/demo/developers.csv"
    ))
    .unwrap()
    .deserialize()
    .map(Result::unwrap)
    .collect();
    let header = csv::Reader::from_path(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/demo/developers.csv"
    ))
    .unwrap()
    .headers()
    .unwrap()
    .clone();
    let column = |name: &str| header.iter().position(|title| title == name).unwrap();
    let (name, company, skills) = (column("name"), column("company"), column("skills"));
    let developer = |(number, row): (usize, &Vec<String>)| {
        let skills: Vec<&str> = row[skills]
            .split(';')
            .filter(|skill| !skill.is_empty())
            .collect();
        json!({"name": format!("{} {number}", row[name]), "company": row[company], "skills": skills})
    };
    sample
        .iter()
        .cycle()
        .take(MANY)
        .enumerate()
        .map(developer)
        .collect()
}
