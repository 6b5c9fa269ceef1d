//! The server as a process.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::support::{Place, Served, roster, roster_with};

fn demo() -> Served {
    Served::start(&["serve", "--demo", "--bind", "127.0.0.1:0"], &[], 6)
}

#[test]
fn the_demo_serves_the_sample_directory() {
    let served = demo();
    let walk = |path: &str| {
        let mut count = 0;
        let mut page = served.get(path).1;
        loop {
            count += page["results"].as_array().unwrap().len();
            let Some(next) = page["next"].as_str() else {
                return count;
            };
            page = served.get(next.strip_prefix(&served.api).unwrap()).1;
        }
    };
    assert_eq!(walk("companies/?page_size=100"), 1185);
    assert_eq!(walk("skills/?page_size=100"), 589);
    assert_eq!(walk("developers/?page_size=100"), 2000);
}

#[test]
fn the_lines_that_the_demo_suggests_find_something() {
    let served = demo();
    let curls: Vec<&str> = served
        .greeting
        .iter()
        .filter_map(|line| line.trim().strip_prefix("curl "))
        .collect();
    assert_eq!(curls.len(), 3);
    for curl in curls {
        let url = curl.trim_matches('\'');
        let (status, body) = served.get(url.strip_prefix(&served.api).unwrap());
        assert_eq!(status, 200, "{curl}");
        let found = body["results"]
            .as_array()
            .map_or(body["id"] != Value::Null, |results| !results.is_empty());
        assert!(found, "{curl}: {body}");
    }
}

#[test]
fn a_signal_ends_the_server_in_order() {
    for signal in ["-TERM", "-INT"] {
        let place = Place::new();
        let mut served = Served::start(
            &["--bind", "127.0.0.1:0", "--database-url", &place.url()],
            &[],
            0,
        );
        assert_eq!(served.get("skills/").0, 200);
        served.signal(signal);
        assert_eq!(served.wait(), Some(0), "{signal}");
        let log = std::fs::metadata(place.path("roster.db-wal")).map_or(0, |file| file.len());
        assert_eq!(log, 0, "{signal}");
    }
}

#[test]
fn idle_connections_do_not_hold_the_end_up() {
    let place = Place::new();
    let mut served = Served::start(
        &["--bind", "127.0.0.1:0", "--database-url", &place.url()],
        &[],
        0,
    );
    let address = served
        .api
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/api/")
        .unwrap();
    let mut idle = TcpStream::connect(address).unwrap();
    idle.write_all(b"GET /api/ HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    let begun = std::time::Instant::now();
    served.signal("-TERM");
    assert_eq!(served.wait(), Some(0));
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(9),
        "it waited for its timeout"
    );
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let mut served = Served::start(
        &[
            "--bind=127.0.0.1:0",
            "--shutdown-timeout=1h",
            "--database-url",
            &place.url(),
        ],
        &[],
        0,
    );
    // Half a body, for whose rest it waits.
    let address = served.api.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address.strip_suffix("/api/").unwrap()).unwrap();
    let half = "POST /api/token/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                expect: 100-continue\r\ncontent-length: 1000000\r\n\r\n";
    stream.write_all(half.as_bytes()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 100");
    served.signal("-HUP");
    served.signal("-TERM");
    // It listens no more, so it is ending.
    while TcpStream::connect(address.strip_suffix("/api/").unwrap()).is_ok() {
        stream.write_all(&[b' '; 4_096]).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    served.signal("-TERM");
    assert_eq!(served.wait(), Some(0));
}

#[test]
fn a_terminal_that_is_closed_does_not_end_the_server() {
    let place = Place::new();
    let mut served = Served::start(
        &["--bind", "127.0.0.1:0", "--database-url", &place.url()],
        &[],
        0,
    );
    served.signal("-HUP");
    assert_eq!(served.get("skills/").0, 200);
    served.signal("-TERM");
    assert_eq!(served.wait(), Some(0));
}

#[test]
fn a_demo_leaves_nothing_behind() {
    // A place for temporary files that nobody else has.
    let place = Place::embedded();
    let temporary = place.path("");
    let environment = [("TMPDIR", temporary.as_str())];
    let folders = || std::fs::read_dir(&temporary).unwrap().count();
    for signal in ["-TERM", "-HUP"] {
        let mut served = Served::start(&["--demo", "--bind=127.0.0.1:0"], &environment, 6);
        assert_eq!(folders(), 1);
        served.signal(signal);
        assert_eq!(served.wait(), Some(0), "{signal}");
        assert_eq!(folders(), 0, "{signal}");
        // Also while the sample directory is still being read.
        let mut early = roster_with(&["serve", "--demo", "--bind=127.0.0.1:0"], &environment);
        let mut early = early
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while folders() == 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
        let id = early.id().to_string();
        let told = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(told.success());
        early.wait().unwrap();
        assert_eq!(folders(), 0, "{signal}, early");
    }
}

#[test]
fn a_server_outlives_the_terminal_that_it_was_started_from() {
    let place = Place::new();
    let args = ["--bind=127.0.0.1:0", "--database-url", &place.url()];
    let mut served = Served::start(&args, &[], 1);
    served.signal("-HUP");
    assert_eq!(served.get("skills/").0, 200);
    served.signal("-TERM");
    assert_eq!(served.wait(), Some(0));
}

#[test]
fn the_demo_says_where_its_documentation_is_and_is_up_to_date() {
    let served = demo();
    let address = served.greeting[0].rsplit(' ').next().unwrap();
    assert_eq!(address, format!("{}docs/", served.api));
    assert_eq!(ureq::get(address).call().unwrap().status(), 200);
    let (status, active) = served.get("developers/?active=true&ordering=-last_login&page_size=100");
    assert_eq!(status, 200);
    assert_eq!(
        active["results"].as_array().unwrap().len(),
        100,
        "whenever it starts"
    );
    let last: roster::db::Stamp =
        serde_json::from_value(active["results"][0]["last_login"].clone()).unwrap();
    assert!(last < roster::db::Stamp::now(), "{last}");
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failed = roster(&["serve", "--bind", &address, "--database-url", &place.url()]).failed();
    assert_eq!(
        failed,
        format!("cannot listen on {address}: Address already in use (os error 98)\n")
    );
    let failed = roster(&[
        "serve",
        "--bind",
        "no.such.host.invalid:1",
        "--database-url",
        &place.url(),
    ])
    .failed();
    assert!(
        failed.starts_with("cannot listen on no.such.host.invalid:1: "),
        "{failed}"
    );
    assert_eq!(failed.lines().count(), 1);
}

#[test]
fn a_database_that_cannot_be_opened_is_one_clear_line() {
    let place = Place::embedded();
    let path = place.file("list.txt", "milk\neggs\n");
    for command in [
        &["serve"][..],
        &["migrate"],
        &["import", "x"],
        &["export", "x"],
    ] {
        let failed = if command == ["import", "x"] {
            let file = place.file("skills.csv", "name,category\n");
            roster(&["import", &file, "--database-url", &path]).failed()
        } else {
            roster(&[command, &["--database-url", &path]].concat()).failed()
        };
        assert_eq!(
            failed,
            format!("cannot open {path}: file is not a database\n")
        );
    }
    assert_eq!(
        std::fs::read_to_string(Path::new(&path)).unwrap(),
        "milk\neggs\n"
    );
}
