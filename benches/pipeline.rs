//! What the pipeline costs each request, and what it does for those who are served when more ask than can be.
//!
//! `cargo bench --bench pipeline` (it needs `wrk`, and the machine for itself, for about two minutes)

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that fails has nothing to say, and prints"
)]

mod common;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, web::Data};
use common::{
    directory,
    served::{SECRET, Served, median, rate_of, ratio, roster},
};
use roster::{
    auth::{self, Auth, Secret},
    db::{Db, Reader, Readiness, Target},
    limits::{Limits, Memory, Rates},
    routes,
    server::Settings,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each timing, in turn with what it is held against; the middle one counts.
const RUNS: usize = 7;
/// That each measurement of requests lasts.
const SECONDS: f64 = 2.0;
const CONNECTIONS: &str = "32";
/// Everything that can be switched on, with limits that nobody meets.
const EVERYTHING: [(&str, &str); 9] = [
    ("ROSTER_RATE_LIMIT", "100000000/minute"),
    ("ROSTER_THROTTLE_ANON", "100000000/minute"),
    ("ROSTER_THROTTLE_USER", "100000000/minute"),
    ("ROSTER_THROTTLE_LOGIN", "100000000/minute"),
    ("ROSTER_SERVER_TIMING", "true"),
    ("ROSTER_METRICS_BIND", "127.0.0.1:0"),
    ("ROSTER_CORS_ORIGIN", "https://app.example"),
    ("ROSTER_TRUSTED_PROXY", "10.0.0.0/8"),
    ("ROSTER_LOG_FORMAT", "json"),
];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, content) in directory::csv(&directory::developers()) {
        fs::write(path(name), content).unwrap();
    }
    let database = path("roster.db");
    let files = folder.path().to_str().unwrap();
    roster(&["import", files, "--database-url", &database]);
    cost(&database);
    for patience in ["10s", "100ms", "25ms", "5ms"] {
        overload(&database, patience);
    }
}

/// The developers' list through everything, to the handlers alone.
fn cost(database: &str) {
    let served = Served::start_with(database, &EVERYTHING);
    let all = format!("{}developers/", served.api);
    let bare = bare(database);
    let (mut alls, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        alls.push(rate_of(CONNECTIONS, SECONDS, &all));
        bares.push(rate_of(CONNECTIONS, SECONDS, &bare));
    }
    ratio(
        "the developers' list through everything, to its bare handler (requests/s)",
        median(&mut alls),
        median(&mut bares),
    );
}

/// The URL of the developers' list, served by the routes without what surrounds them.
fn bare(database: &str) -> String {
    let target: Target = database.parse().unwrap();
    let db = Data::new(Db::open(&target, Readiness::MustExist).unwrap());
    let auth = Auth::new(auth::Settings {
        secret: Secret::new(SECRET.to_owned()).unwrap(),
        access_token_lifetime: Duration::from_mins(5),
        refresh_token_lifetime: Duration::from_hours(24),
        refresh_grace: Duration::ZERO,
    });
    let auth = Data::new(auth);
    let reader = Data::new(Reader::from(Db::clone(&db)));
    let limits = Data::new(Limits::new(Rates::OFF, Memory::default()));
    let settings = Data::new(Settings::default());
    let (ready, address) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(db.clone())
                    .app_data(reader.clone())
                    .app_data(auth.clone())
                    .app_data(limits.clone())
                    .app_data(settings.clone())
                    .configure(routes::configure)
            });
            let server = server.workers(2).bind("127.0.0.1:0").unwrap();
            ready.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    format!("http://{}/api/developers/", address.recv().unwrap())
}

/// How long those wait who are served, when twice as many ask as can be, beside when hardly anybody asks.
fn overload(database: &str, patience: &str) {
    let served = Served::start_with(database, &[("ROSTER_QUEUE_TIME", patience)]);
    let address = served.api.trim_start_matches("http://");
    let address = address.split('/').next().unwrap();
    let request = "/api/developers/?page_size=100&senior=true&search=a";
    // As many as it serves when one comes as soon as another is served, with all connections of its pool busy.
    let most = load(address, request, 16, Duration::ZERO, 3.0);
    let most = f64::from(most.served) / 3.0;
    let every = |share: f64| Duration::from_secs_f64(1.0 / (most * share));
    println!("queue time {patience}: {most:.0} requests/s at most; at twice as many");
    let (mut calm, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        calm.push(load(address, request, 128, every(0.1), SECONDS).p99());
        let load = load(address, request, 128, every(2.0), SECONDS);
        println!("  {} served and {} sent away", load.served, load.refused);
        busy.push(load.p99());
    }
    ratio(
        "  p99 of those served, to when a tenth asks (ms)",
        median(&mut busy),
        median(&mut calm),
    );
}

/// What came of requests that were sent at fixed times, whether or not those before had been answered.
struct Load {
    served: u32,
    refused: u32,
    /// Milliseconds from when each request was due until its answer was there.
    times: Vec<f64>,
}

impl Load {
    fn p99(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() * 99 / 100]
    }
}

fn load(address: &str, path: &str, connections: usize, every: Duration, seconds: f64) -> Load {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let (next, begun) = (AtomicU32::new(0), Instant::now());
    let load = Mutex::new(Load {
        served: 0,
        refused: 0,
        times: Vec::new(),
    });
    thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                loop {
                    let due = every * next.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(due.saturating_sub(begun.elapsed()));
                    let due = if every.is_zero() {
                        begun.elapsed()
                    } else {
                        due
                    };
                    if begun.elapsed().as_secs_f64() > seconds {
                        break;
                    }
                    let status = ask(&mut stream, &request);
                    let time = begun.elapsed().saturating_sub(due);
                    let mut load = load.lock().unwrap();
                    match status {
                        200 => {
                            load.served += 1;
                            load.times.push(time.as_secs_f64() * 1e3);
                        }
                        503 => load.refused += 1,
                        other => panic!("{other}"),
                    }
                }
            });
        }
    });
    load.into_inner().unwrap()
}

/// The status of the answer, once all of it is there.
fn ask(stream: &mut TcpStream, request: &str) -> u16 {
    stream.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), [0; 16_384]);
    loop {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "the connection was closed");
        answer.extend_from_slice(&buffer[..length]);
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if answer.len() >= end + 4 + length.unwrap().parse::<usize>().unwrap() {
            return head[9..12].parse().unwrap();
        }
    }
}
