//! What is no request, or comes too slowly: it is refused or cut off, and the server goes on.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use roster::server::Settings;

use crate::support::{App, Options};

const PATIENCE: Duration = Duration::from_millis(600);

fn impatient() -> App {
    App::with(Options {
        server: Settings {
            client_timeout: PATIENCE,
            ..Settings::default()
        },
        ..Options::default()
    })
}

/// The status of the answer to these bytes, or `None` when there was none.
fn status(app: &App, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(request);
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).unwrap().parse().ok()
}

#[test]
fn the_server_goes_on_after_whatever_was_sent() {
    let app = App::new();
    let get = |headers: &str| format!("GET /api/ HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let post = |headers: &str, body: &str| {
        let kind = "Content-Type: application/json";
        format!("POST /api/token/ HTTP/1.1\r\nHost: x\r\n{kind}\r\n{headers}\r\n\r\n{body}")
    };
    let many = |count: usize| {
        (0..count).fold(String::new(), |mut headers, n| {
            let _ = write!(headers, "X-{n}: y\r\n");
            headers
        })
    };
    for (what, request, expected) in [
        ("90 headers", get(&many(90)), 200),
        ("200 headers", get(&many(200)), 431),
        ("100,000 headers", get(&many(100_000)), 431),
        (
            "a header of 1 MB",
            get(&format!("X: {}\r\n", "a".repeat(1 << 20))),
            431,
        ),
        ("HTTP/1.0", "GET /api/ HTTP/1.0\r\n\r\n".to_owned(), 200),
        ("no host", "GET /api/ HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("a return in a header", get("X-Request-Id: a\rb\r\n"), 400),
        (
            "no number of a length",
            post("Content-Length: -3", "abc"),
            400,
        ),
        (
            "two lengths",
            post("Content-Length: 3\r\nContent-Length: 4", "abcd"),
            400,
        ),
        (
            "a chunk of nonsense",
            post("Transfer-Encoding: chunked", "zz\r\nabc\r\n"),
            400,
        ),
        (
            "a chunk beyond all numbers",
            post(
                "Transfer-Encoding: chunked",
                "ffffffffffffffffff\r\nabc\r\n",
            ),
            400,
        ),
        (
            "two ways to tell the length",
            post(
                "Content-Length: 3\r\nTransfer-Encoding: chunked",
                "0\r\n\r\n",
            ),
            400,
        ),
        (
            "a greeting of TLS",
            format!("\u{16}\u{3}\u{1}{}", "a".repeat(200)),
            400,
        ),
        (
            "a forged address",
            get("X-Forwarded-For: unknown, ::::, 1\r\n"),
            200,
        ),
        (
            "garbage behind a request",
            get("") + "\0garbage\r\n\r\n",
            200,
        ),
    ] {
        assert_eq!(status(&app, request.as_bytes()), Some(expected), "{what}");
        app.get("/api/").ok();
    }
    // An id with a line break in it is two headers or none; it never gets into an answer.
    let head = app.raw(&get("X-Request-Id: a\nEvil: 1\r\nConnection: close\r\n"));
    assert!(!head.contains("evil") && !head.contains("Evil"), "{head}");
}

#[test]
fn whoever_sends_too_slowly_is_cut_off() {
    let app = impatient();
    let begun = Instant::now();
    assert_eq!(status(&app, b"GET /api/ HTTP/1.1\r\nHo"), Some(408));

    // A byte now and then is not enough.
    let mut stream = TcpStream::connect(app.address).unwrap();
    let head = "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Content-Length: 100000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut answer = Vec::new();
    loop {
        let _ = stream.write_all(b" ");
        let mut piece = [0; 4_096];
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(_) => break,
        }
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it waits for ever"
        );
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    app.get("/api/").ok();
}

#[test]
fn idle_connections_do_not_stop_the_others() {
    let app = App::new();
    let idle: Vec<_> = (0..800)
        .map(|_| TcpStream::connect(app.address).unwrap())
        .collect();
    for _ in 0..20 {
        app.get("/api/").ok();
    }
    drop(idle);
}
