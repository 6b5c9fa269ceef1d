//! What happens between the socket and the handlers: malformed requests, offers to upgrade, clients that stall.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use roster::{
    limits::{Rate, Rates},
    server::Settings,
};
use serde_json::{Value, json};

use crate::support::{App, Options};

/// How long the servers of these tests wait for a client.
const PATIENCE: Duration = Duration::from_millis(600);
/// How long these tests wait for a server: much longer than it takes on any machine.
const LONG: Duration = Duration::from_mins(1);

fn impatient() -> App {
    App::with(Options {
        server: Settings {
            client_timeout: PATIENCE,
            write_timeout: PATIENCE,
            ..Settings::default()
        },
        ..Options::default()
    })
}

fn connect(app: &App) -> TcpStream {
    let stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream
}

/// One answer of a connection that goes on: its head in small letters, and its body.
fn read_answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

/// Everything until the server closes the connection, or resets it.
fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The error that an answer is.
fn refused(answer: &str, status: u16) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let head = head.to_lowercase();
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{answer}");
    assert!(head.contains("\r\nx-request-id: "), "{answer}");
    assert!(
        head.contains("\r\ncontent-type: application/json"),
        "{answer}"
    );
    serde_json::from_str(body).unwrap()
}

/// Sends a piece again and again until the server has closed the connection; returns the bytes that it took.
fn send_until_closed(stream: &mut TcpStream, piece: &[u8], pause: Duration) -> usize {
    let begun = Instant::now();
    let mut sent = 0;
    while stream.write_all(piece).is_ok() {
        sent += piece.len();
        std::thread::sleep(pause);
        assert!(
            begun.elapsed() < LONG,
            "the server goes on after {sent} bytes"
        );
    }
    sent
}

#[test]
fn an_offer_to_upgrade_is_passed_over() {
    let app = App::new();
    for offer in [
        "Connection: upgrade\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: websocket\r\n",
    ] {
        let mut stream = connect(&app);
        for _ in 0..3 {
            let body = "{\"token\": \"x\"}";
            let head =
                "POST /api/token/verify/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
            let length = body.len();
            let request = format!("{head}{offer}Content-Length: {length}\r\n\r\n{body}");
            stream.write_all(request.as_bytes()).unwrap();
            let (head, body) = read_answer(&mut stream);
            assert!(head.starts_with("http/1.1 401 "), "{head}");
            assert!(
                !head.contains("upgrade") && !head.contains("\r\nconnection:"),
                "{head}"
            );
            assert_eq!(
                serde_json::from_slice::<Value>(&body).unwrap()["code"],
                "token_not_valid"
            );
        }
    }
}

#[test]
fn a_url_takes_utf_8_as_it_is() {
    let app = App::new();
    let boss = app.staff("boss");
    for name in ["München", "Köln"] {
        let company = json!({"name": name, "founded_year": 2000});
        boss.post("/api/companies/", &company).created();
    }
    let request =
        "GET /api/companies/?search=münch HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = app.raw(request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    let page: Value = serde_json::from_str(body).unwrap();
    assert_eq!(page["results"][0]["name"], "München");
    assert_eq!(page["results"].as_array().unwrap().len(), 1);
    // In a path it is no id.
    let answer = app.raw("GET /api/companies/é/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(refused(&answer, 404)["code"], "not_found");
}

#[test]
fn what_is_no_request_gets_an_error_like_any() {
    let app = App::new();
    let long = format!(
        "GET /api/?search={} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a".repeat(70_000)
    );
    let endless = format!("GET /{}", "a".repeat(2_000_000));
    let fields = format!(
        "GET /api/ HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(200)
    );
    for (request, status, code) in [
        ("hello\r\n\r\n", 400, "malformed_request"),
        ("\u{16}\u{3}\u{1}", 400, "malformed_request"),
        ("GET /api/ HTTP/1.1\r\n\r\n", 400, "malformed_request"),
        (
            "GET /api/ HTTP/3.0\r\nHost: x\r\n\r\n",
            400,
            "malformed_request",
        ),
        (
            "GET /api/ HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
            400,
            "malformed_request",
        ),
        (
            "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
            405,
            "method_not_allowed",
        ),
        (&long, 414, "url_too_long"),
        (&endless, 414, "url_too_long"),
        (&fields, 431, "head_too_large"),
    ] {
        let mut stream = connect(&app);
        // The server may close before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        let error = refused(&read_to_end(&mut stream), status);
        assert_eq!(
            error["code"],
            code,
            "{:?}",
            &request[..request.len().min(50)]
        );
    }
    // Requests in front of it are answered first.
    let mut stream = connect(&app);
    let good = "GET /api/nothing/ HTTP/1.1\r\nHost: x\r\n\r\n";
    stream
        .write_all(format!("{good}{good}nonsense\r\n\r\n").as_bytes())
        .unwrap();
    for _ in 0..2 {
        assert!(read_answer(&mut stream).0.starts_with("http/1.1 404 "));
    }
    refused(&read_to_end(&mut stream), 400);
}

#[test]
fn what_is_no_request_counts_as_one() {
    let app = App::with(Options {
        server: Settings {
            rates: Rates {
                address: Rate::Of {
                    requests: 2,
                    window: Duration::from_hours(1),
                },
                ..Rates::OFF
            },
            proxies: roster::urls::Proxies(vec!["127.0.0.0/8".parse().unwrap()]),
            ..Settings::default()
        },
        ..Options::default()
    });
    let nonsense = |client: &str| {
        app.raw(&format!(
            "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\nX-Request-Id: mine\r\nX-Forwarded-For: {client}\r\n\r\n"
        ))
    };
    for left in [1, 0] {
        let answer = nonsense("192.0.2.1");
        refused(&answer, 400);
        assert!(
            answer.contains(&format!("\"address\";r={left};")),
            "{answer}"
        );
        assert!(answer.contains("x-request-id: mine"), "{answer}");
    }
    assert!(nonsense("192.0.2.1").starts_with("HTTP/1.1 429 "));
    // Behind a proxy each client has its own count.
    refused(&nonsense("192.0.2.2"), 400);
}

#[test]
fn every_head_has_its_time() {
    let app = impatient();
    let mut stream = connect(&app);
    stream
        .write_all(b"GET /api/ HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    assert!(read_answer(&mut stream).0.starts_with("http/1.1 200 "));
    // Not only the first.
    stream.write_all(b"GET /api/ HTTP/1.1\r\nHo").unwrap();
    assert_eq!(
        refused(&read_to_end(&mut stream), 408)["code"],
        "request_timeout"
    );
    // Who says nothing is told nothing.
    assert_eq!(read_to_end(&mut connect(&app)), "");
}

#[test]
fn a_client_that_takes_nothing_is_dropped() {
    let app = impatient();
    let mut stream = connect(&app);
    // More than any socket buffers.
    let request = "GET /api/schema/ HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.set_nonblocking(true).unwrap();
    let _ = stream.write(request.repeat(500).as_bytes());
    stream.set_nonblocking(false).unwrap();
    send_until_closed(&mut stream, b"\r\n", Duration::from_millis(50));
    app.get("/api/").ok();
}

#[test]
fn a_body_that_nobody_wants_is_not_read_for_ever() {
    let app = impatient();
    let unwanted = "POST /api/nothing/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x1_0000));
    let mut stream = connect(&app);
    stream.write_all(unwanted.as_bytes()).unwrap();
    assert!(read_answer(&mut stream).0.starts_with("http/1.1 404 "));
    let sent = send_until_closed(&mut stream, chunk.as_bytes(), Duration::ZERO);
    // What the kernel buffers is more than the server reads.
    assert!(sent < 128 << 20, "{sent}");

    // Nor a byte now and then, of the data or of the trailers; nor is nothing at all waited for.
    for begun in ["", "0\r\n"] {
        let mut stream = connect(&app);
        stream.write_all(unwanted.as_bytes()).unwrap();
        stream.write_all(begun.as_bytes()).unwrap();
        assert!(read_answer(&mut stream).0.starts_with("http/1.1 404 "));
        let piece = if begun.is_empty() {
            "1\r\na\r\n"
        } else {
            "A: b\r\n"
        };
        send_until_closed(&mut stream, piece.as_bytes(), Duration::from_millis(50));
    }
    let mut stream = connect(&app);
    stream.write_all(unwanted.as_bytes()).unwrap();
    assert!(read_answer(&mut stream).0.starts_with("http/1.1 404 "));
    assert_eq!(read_to_end(&mut stream), "");

    // One that ends soon leaves the connection as it is.
    let mut stream = connect(&app);
    for _ in 0..3 {
        let small = format!("{unwanted}5\r\nhello\r\n0\r\n\r\n");
        stream.write_all(small.as_bytes()).unwrap();
        assert!(read_answer(&mut stream).0.starts_with("http/1.1 404 "));
    }
}

#[test]
fn a_body_that_drips_is_too_slow_in_its_trailers_too() {
    let app = impatient();
    let mut stream = connect(&app);
    let head = "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let answer = std::thread::spawn(move || read_to_end(&mut reader));
    send_until_closed(&mut stream, b"A: b\r\n", Duration::from_millis(50));
    assert_eq!(
        refused(&answer.join().unwrap(), 408)["code"],
        "request_timeout"
    );
}

#[test]
fn a_body_in_broken_chunks_is_refused_in_json() {
    let app = App::new();
    let head = "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    let answer = app.raw(&format!("{head}2\r\n{{}}\r\nzz\r\n"));
    assert_eq!(refused(&answer, 400)["code"], "parse_error");
}

/// A POST of a new skill for this host, and what stands in its answer's `Location`.
fn location(app: &App, host: &str, name: &str) -> Option<String> {
    let boss = app.staff(&format!("of-{name}"));
    let body = json!({"name": name, "category": "c"}).to_string();
    let answer = app.raw(&format!(
        "POST /api/skills/ HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        boss.access.unwrap(),
        body.len(),
    ));
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    if line.is_none() {
        assert_eq!(refused(&answer, 400)["code"], "invalid_host");
    }
    line.map(ToOwned::to_owned)
}

#[test]
fn a_host_that_is_none_gets_into_no_url() {
    let app = App::new();
    for host in ["evil.com/x?y#", "a@b", "x:y", "a b", "[x]"] {
        assert_eq!(location(&app, host, "n"), None, "{host}");
        // The watchers of a server need no name for it.
        let probe = app.raw(&format!(
            "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ));
        assert!(probe.starts_with("HTTP/1.1 200 "), "{probe}");
        app.db
            .write_blocking(|conn| {
                use diesel::RunQueryDsl as _;
                diesel::sql_query("DELETE FROM users").execute(conn)?;
                Ok::<_, roster::db::Error>(())
            })
            .unwrap();
    }
    let ours = format!("http://{}/api/skills/", app.address);
    let names = [
        (
            "api.example.com:8443",
            "http://api.example.com:8443/api/skills/",
        ),
        ("", &ours),
    ];
    for (host, start) in names {
        let name = format!("s{}", host.len());
        assert!(
            location(&app, host, &name).unwrap().starts_with(start),
            "{host}"
        );
    }
}

#[test]
fn only_allowed_hosts_are_served() {
    let app = App::with(Options {
        server: Settings {
            allowed_hosts: roster::urls::Hosts(vec![".example.com".to_owned()]),
            ..Settings::default()
        },
        ..Options::default()
    });
    for (host, status) in [
        ("example.com", 200),
        ("api.EXAMPLE.com:80", 200),
        ("example.org", 400),
        ("127.0.0.1", 400),
    ] {
        let answer = app.raw(&format!(
            "GET /api/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{host}: {answer}"
        );
    }
    assert_eq!(app.get("/readyz").status, 200);
}

#[test]
fn a_preflight_and_a_probe_with_a_query_count_as_any_request() {
    let app = App::with(Options {
        server: Settings {
            cors_origins: vec![roster::middleware::Origin::Any],
            rates: Rates {
                address: Rate::Of {
                    requests: 3,
                    window: Duration::from_hours(1),
                },
                ..Rates::OFF
            },
            ..Settings::default()
        },
        ..Options::default()
    });
    let preflight = || {
        let headers = [
            ("origin", "https://app.example"),
            ("access-control-request-method", "PATCH"),
        ];
        app.send("OPTIONS", "/api/developers/1/", &headers)
    };
    let left = |answer: &crate::support::Answer| answer.header("ratelimit").unwrap().to_owned();
    let first = preflight();
    assert!(
        first.status == 200 && left(&first).contains("r=2;"),
        "{first:?}"
    );
    let second = app.get("/healthz?a");
    assert!(
        second.status == 400 && left(&second).contains("r=1;"),
        "{second:?}"
    );
    // Counted once: what is no preflight goes through both of the counters.
    let third = app.send("GET", "/api/", &[("origin", "https://app.example")]);
    assert!(
        third.status == 200 && left(&third).contains("r=0;"),
        "{third:?}"
    );
    assert_eq!(preflight().status, 429);
    assert_eq!(app.get("/healthz").status, 200);
}

#[test]
fn no_more_than_twenty_errors_are_named() {
    let app = App::new();
    let many = (0..500)
        .map(|n| format!("p{n}="))
        .collect::<Vec<_>>()
        .join("&");
    for path in ["/healthz", "/api/", "/api/developers/", "/api/companies/"] {
        let answer = app.get(&format!("{path}?{many}")).refused(400);
        assert_eq!(answer.as_object().unwrap().len(), 20, "{path}");
    }
    let boss = app.staff("boss");
    let fields = (0..90).map(|n| (format!("f{n}"), json!(1))).collect();
    let answer = boss
        .post("/api/skills/", &Value::Object(fields))
        .refused(400);
    assert_eq!(answer.as_object().unwrap().len(), 20);
}

#[test]
fn nothing_behind_the_last_request_of_a_connection_is_carried_out() {
    let app = App::new();
    let boss = app.staff("boss");
    let skill = json!({"name": "Rust", "category": "Language"}).to_string();
    let mut stream = connect(&app);
    write!(
        stream,
        "GET /api/skills/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n\
         POST /api/skills/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{skill}",
        boss.access.as_ref().unwrap(),
        skill.len()
    )
    .unwrap();
    let answers = read_to_end(&mut stream);
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    assert!(answers.to_lowercase().contains("\r\nconnection: close"));
    assert_eq!(app.get("/api/skills/").names(), [""; 0]);
}

#[test]
fn a_client_that_only_ends_its_sending_side_gets_its_answer() {
    let app = App::new();
    let boss = app.staff("boss");
    for number in 0..5 {
        let skill = json!({"name": format!("skill {number}"), "category": "Tool"}).to_string();
        let mut stream = connect(&app);
        write!(
            stream,
            "POST /api/skills/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{skill}",
            boss.access.as_ref().unwrap(),
            skill.len()
        )
        .unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let answer = read_to_end(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    assert_eq!(app.get("/api/skills/").names().len(), 5);
}

#[test]
fn characters_that_clients_leave_as_they_are_may_be_in_a_query() {
    let app = App::new();
    let answer =
        app.raw("GET /api/skills/?name=<a>\"b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
