//! One address asks the most expensive questions that there are, as often as the default limits let it; how long another address then waits
//! for the first page of developers.
//!
//! `cargo bench --bench fair` (it needs the machine for itself, for about two minutes)

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that fails has nothing to say, and prints"
)]

mod common;

use std::{
    fmt::Write as _,
    fs,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use common::{
    directory,
    served::{Served, roster},
};

/// What the attacker asks at once.
const ATTACKERS: usize = 20;
const SECONDS: u64 = 60;
/// From one request of the bystander's to the next. It has signed in as nobody, so that a minute lets 20 through; the limits
/// of its address are another's for each.
const PAUSE: Duration = Duration::from_millis(20);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, content) in directory::csv(&directory::developers()) {
        fs::write(path(name), content).unwrap();
    }
    let database = path("roster.db");
    roster(&[
        "import",
        folder.path().to_str().unwrap(),
        "--database-url",
        &database,
    ]);

    let served = Served::start(&database);
    let list = format!("{}developers/", served.api);
    println!("the most expensive questions, alone (ms):");
    for (name, question) in questions() {
        let mut times: Vec<f64> = (0..3).map(|_| ask(&list, &question, None).1).collect();
        times.sort_by(f64::total_cmp);
        println!("  {:8.1}  {name}", times[1] * 1e3);
    }
    drop(served);

    let served = Served::start_with(
        &database,
        &[
            ("ROSTER_RATE_LIMIT", "100/minute"),
            ("ROSTER_THROTTLE_ANON", "20/minute"),
            ("ROSTER_TRUSTED_PROXY", "127.0.0.1"),
        ],
    );
    let list = format!("{}developers/", served.api);
    report(
        "another address, at rest",
        bystander(&list, Duration::from_secs(5)),
    );
    let (stop, answered, refused) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for number in 0..ATTACKERS {
            let (list, stop, answered, refused) = (&list, &stop, &answered, &refused);
            scope.spawn(move || {
                let questions = questions();
                for (_, question) in questions.iter().cycle().skip(number) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    match ask(list, question, Some("192.0.2.1")).0 {
                        200 => answered.fetch_add(1, Ordering::Relaxed),
                        _ => refused.fetch_add(1, Ordering::Relaxed),
                    };
                    std::thread::sleep(PAUSE);
                }
            });
        }
        let times = bystander(&list, Duration::from_secs(SECONDS));
        stop.store(true, Ordering::Relaxed);
        report("another address, under attack", times);
    });
    println!(
        "the attacker: {} answered, {} refused",
        answered.into_inner(),
        refused.into_inner()
    );
}

/// The worst that is known.
fn questions() -> Vec<(&'static str, String)> {
    let ids = |from: usize| {
        let ids = (from..from + 100).map(|id| id.to_string());
        ids.collect::<Vec<_>>().join(",")
    };
    let mut categories = String::new();
    for text in ["c", "a", "t", "e", "g", "o", "r", "y", "ca", "at"] {
        let _ = write!(categories, "skills__category__icontains={text}&");
    }
    let mut words = "search=ada+number+lovelace+company+ltd+skill".to_owned();
    for number in 1..26 {
        let _ = write!(words, "+{number}");
    }
    vec![
        (
            "skills__any, 100 unknown ids",
            format!("skills__any={}", ids(1_000_000)),
        ),
        (
            "skills__min=99 of 100",
            format!("skills__min=99:{}", ids(1)),
        ),
        (
            "ten skills__category__icontains",
            categories.clone() + "name__icontains=zzz",
        ),
        ("99 skills__category__icontains", categories.repeat(10)),
        ("search of 31 words", words),
        (
            "company__name__icontains",
            "company__name__icontains=zzz&ordering=name".to_owned(),
        ),
        ("name__icontains", "name__icontains=zzz".to_owned()),
    ]
}

/// The status, and the seconds until there was one.
fn ask(list: &str, question: &str, address: Option<&str>) -> (u16, f64) {
    let begun = Instant::now();
    let mut request = ureq::get(format!("{list}?{question}"))
        .config()
        .http_status_as_error(false)
        .build();
    if let Some(address) = address {
        request = request.header("x-forwarded-for", address);
    }
    let mut response = request.call().unwrap();
    response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), begun.elapsed().as_secs_f64())
}

/// Seconds of each request for the first page, each from an address that has not asked before.
fn bystander(list: &str, time: Duration) -> Vec<f64> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < time {
        let number = times.len();
        let address = format!("10.1.{}.{}", number / 250, number % 250 + 1);
        let (status, time) = ask(list, "", Some(&address));
        assert_eq!(status, 200);
        times.push(time);
        std::thread::sleep(PAUSE);
    }
    times
}

fn report(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)] * 1e3;
    println!(
        "{what}: {} requests, median {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        times.len(),
        at(50),
        at(99),
        at(100)
    );
}
