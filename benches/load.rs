//! The release binary under load: import, start, pages and memory, each beside the least that could do it.
//!
//! `cargo bench --bench load` (it needs `wrk`, and the machine for itself, for about two minutes)

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that fails has nothing to say, and prints"
)]

mod common;

use std::{
    fs,
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use common::{
    directory,
    raw::Connection,
    served::{ROSTER, Served, median, rate_of, ratio, remove, roster},
};

/// Runs of each timing, in turn with what it is held against; the middle one counts.
const RUNS: usize = 5;
/// What lists are asked. Skill 0 is had by a quarter of the developers, and skill 599 by hardly any.
const QUESTIONS: [&str; 15] = [
    "skill=Skill%200",
    "skill=Skill%20599",
    "senior=true",
    "active=true",
    "active=false",
    "skill=Skill%200&skill=Skill%201&senior=true&active=false",
    "search=ada+comp",
    "search=a",
    "search=77777",
    "ordering=name",
    "ordering=-years_experience",
    "ordering=last_login",
    "ordering=-last_login",
    "company=77",
    "skills__name=Skill%20599",
];
/// That each measurement of requests lasts.
const SECONDS: f64 = 3.0;
const CONNECTIONS: &str = "32";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let developers = directory::developers();
    for (name, content) in directory::csv(&developers) {
        fs::write(path(name), content).unwrap();
    }

    let (mut imported, mut by_hand) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        imported.push(import(&path("roster.db"), folder.path().to_str().unwrap()));
        by_hand.push(insert(&path("hand.db"), &developers));
    }
    ratio(
        "import, to prepared inserts by hand (s)",
        median(&mut imported),
        median(&mut by_hand),
    );

    let mut starts: Vec<f64> = (0..RUNS)
        .map(|_| Served::start(&path("roster.db")).until_first_answer)
        .collect();
    println!("start to first answer: {:.1} ms", median(&mut starts) * 1e3);

    let served = Served::start(&path("roster.db"));
    let first = format!("{}developers/", served.api);
    let bare = Bare::serve(Served::body(&first));
    let deep = Served::deep(&first);
    let (mut firsts, mut deeps, mut bares, mut ones) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        bares.push(rate(&bare.url));
        firsts.push(rate(&first));
        deeps.push(rate(&deep));
        ones.push(rate(&format!("{}developers/7/", served.api)));
    }
    let first_rate = median(&mut firsts);
    ratio(
        "bare handler of the same bytes, to the first page (requests/s)",
        median(&mut bares),
        first_rate,
    );
    ratio(
        "first page, to one 90,000 deep (requests/s)",
        first_rate,
        median(&mut deeps),
    );
    println!("a detail: {:.0} requests/s", median(&mut ones));

    println!("time of a list to that of the first page, one connection:");
    let one = |question: &str| 1.0 / rate_of("1", 1.0, &format!("{first}?{question}"));
    for question in QUESTIONS {
        let mut ratios: Vec<f64> = (0..3).map(|_| one(question) / one("")).collect();
        println!("  {:6.2}  {question}", median(&mut ratios));
    }

    let requests = [&firsts, &deeps, &ones].into_iter().flatten().sum::<f64>() * SECONDS;
    println!(
        "memory after {requests:.0} requests: {:.1} MB",
        served.resident_mb()
    );
    let size = u32::try_from(fs::metadata(ROSTER).unwrap().len()).unwrap();
    println!("binary: {:.1} MB", f64::from(size) / 1e6);
}

fn import(database: &str, folder: &str) -> f64 {
    remove(database);
    roster(&["migrate", "--database-url", database]);
    let begun = Instant::now();
    roster(&["import", folder, "--database-url", database]);
    begun.elapsed().as_secs_f64()
}

fn insert(database: &str, developers: &[directory::Developer]) -> f64 {
    remove(database);
    roster(&["migrate", "--database-url", database]);
    let begun = Instant::now();
    let connection = Connection::open(database);
    connection
        .run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536");
    directory::insert(&connection, developers);
    drop(connection);
    begun.elapsed().as_secs_f64()
}

/// Requests a second.
fn rate(url: &str) -> f64 {
    rate_of(CONNECTIONS, SECONDS, url)
}

/// An actix handler that does nothing but answer with the same bytes.
struct Bare {
    url: String,
}

impl Bare {
    fn serve(body: String) -> Self {
        let (ready, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let server = HttpServer::new(move || {
                    let body = body.clone();
                    App::new().default_service(web::to(move || {
                        let body = body.clone();
                        async {
                            HttpResponse::Ok()
                                .content_type("application/json")
                                .body(body)
                        }
                    }))
                })
                .workers(2)
                .bind("127.0.0.1:0")
                .unwrap();
                ready.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        let url = format!("http://{}/", address.recv().unwrap());
        std::thread::sleep(Duration::from_millis(200));
        Self { url }
    }
}
