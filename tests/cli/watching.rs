//! What those see who run the server: its log and its metrics.

use std::{
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{PASSWORD, Place, add_user, roster_with};

/// A server whose standard output can be read line by line.
struct Watched {
    child: Child,
    api: String,
    log: Lines<BufReader<ChildStdout>>,
    place: Place,
}

impl Watched {
    fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let url = place.url();
        let base = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
        let mut command = roster_with(&[&base[..], args].concat(), environment);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = log.next().unwrap().unwrap();
        let api = match serde_json::from_str::<Value>(&first) {
            Ok(line) => line["url"].as_str().unwrap().to_owned(),
            Err(_) => first.split(' ').next_back().unwrap().to_owned(),
        };
        // How to make the first user.
        let greeting = log.next().unwrap().unwrap();
        assert!(
            greeting.contains("roster createuser NAME --staff"),
            "{greeting}"
        );
        assert_eq!(greeting.starts_with('{'), first.starts_with('{'));
        Self {
            child,
            api,
            log,
            place,
        }
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> ureq::http::Response<ureq::Body> {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = ureq::Agent::new_with_config(config.build());
        let request = agent.get(format!("{}{path}", self.api));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        request.call().unwrap()
    }

    fn line(&mut self) -> String {
        self.log.next().unwrap().unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The value of `name=value` in a line.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .next()
}

#[test]
fn each_request_is_one_line() {
    let mut server = Watched::start(&["--slow-request", "1m"], &[]);
    server.get("developers/?page_size=3", &[("x-request-id", "mine-7")]);
    let line = server.line();
    assert!(
        line.contains(" INFO roster::request: method=GET "),
        "{line}"
    );
    let bytes = server.get("developers/?page_size=3", &[]).headers()["content-length"]
        .to_str()
        .unwrap()
        .to_owned();
    for (name, expected) in [
        ("path", "/api/developers/"),
        ("status", "200"),
        ("request_id", "mine-7"),
        ("client", "127.0.0.1"),
        ("route", "/api/developers/"),
        // Of an empty directory: there is nobody whose skills could be asked for.
        ("statements", "1"),
        ("bytes", bytes.as_str()),
        ("query", "page_size=3"),
    ] {
        assert_eq!(value(&line, name), Some(expected), "{line}");
    }
    for name in ["duration_ms", "sql_ms"] {
        let time = value(&line, name).unwrap();
        assert!(time.parse::<f64>().unwrap() > 0.0, "{line}");
    }
    assert_eq!(value(&line, "user_id"), None);
    server.line();
    let ada = add_user(&server.place.open(), "ada", false).to_string();
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let request = ureq::post(format!("{}token/", server.api));
    let answer = request
        .header("content-type", "application/json")
        .send(body);
    let pair = answer.unwrap().body_mut().read_to_string().unwrap();
    let pair: Value = serde_json::from_str(&pair).unwrap();
    server.line();
    let bearer = format!("Bearer {}", pair["access"].as_str().unwrap());
    server.get("projects/", &[("authorization", &bearer)]);
    assert_eq!(value(&server.line(), "user_id"), Some(ada.as_str()));
    // What was refused may be a secret in the wrong place.
    server.get("developers/7/?token=abc", &[]);
    let line = server.line();
    assert_eq!(value(&line, "route"), Some("/api/developers/{id}/"));
    assert_eq!(value(&line, "status"), Some("400"));
    assert!(!line.contains("abc"), "{line}");
}

#[test]
fn a_line_can_be_json_and_a_slow_request_is_a_warning() {
    let environment = [
        ("ROSTER_LOG_FORMAT", "json"),
        ("ROSTER_SLOW_REQUEST", "1ms"),
    ];
    let mut server = Watched::start(&["--server-timing"], &environment);
    let mut slow = 0;
    for _ in 0..50 {
        let answer = server.get("developers/", &[]);
        let timing = answer.headers()["server-timing"].to_str().unwrap();
        let (db, total) = timing.split_once(", total;dur=").unwrap();
        assert!(db.starts_with("db;dur="), "{timing}");
        assert!(db.ends_with(";desc=\"1 query\""), "{timing}");
        let line: Value = serde_json::from_str(&server.line()).unwrap();
        assert_eq!(line["method"], "GET");
        assert_eq!(line["path"], "/api/developers/");
        assert_eq!(line["status"], 200);
        assert_eq!(line["statements"], 1);
        assert!(line["request_id"].is_string() && line["timestamp"].is_string());
        let millis: f64 = total.parse().unwrap();
        let told = line["duration_ms"].as_f64().unwrap();
        assert!((told - millis).abs() < 0.02, "{told} {millis}");
        assert!(
            line["sql_ms"].is_number() && line["client"] == "127.0.0.1",
            "{line}"
        );
        // As shown, it is rounded.
        if (millis - 1.0).abs() > 0.01 {
            let level = if millis > 1.0 { "WARN" } else { "INFO" };
            assert_eq!(line["level"], level, "{line}");
        }
        slow += u32::from(millis > 1.0);
    }
    assert!(
        slow > 0,
        "no request of fifty took a millisecond, the first neither"
    );
}

#[test]
fn what_is_no_request_is_a_line_and_counts() {
    use std::io::{Read as _, Write as _};
    let mut server = Watched::start(&["--metrics-bind=127.0.0.1:0"], &[]);
    let metrics = server.line().split(' ').next_back().unwrap().to_owned();
    let address = server.api.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address.strip_suffix("/api/").unwrap()).unwrap();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "));
    let line = server.line();
    assert_eq!(value(&line, "request_id"), id, "{line}\n{answer}");
    assert_eq!(value(&line, "status"), Some("400"), "{line}");
    assert!(line.contains("reason="), "{line}");
    let text = ureq::get(metrics)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let counted = r#"roster_http_requests_total{method="OTHER",route="none",status="400"} 1"#;
    assert!(text.contains(counted), "{text}");
}

#[test]
fn a_fault_tells_the_client_its_request_and_the_log_the_rest() {
    use diesel::connection::SimpleConnection as _;
    let mut server = Watched::start(&[], &[("ROSTER_LOG", "roster=debug")]);
    let db = server.place.open();
    db.write_blocking(|conn| {
        conn.batch_execute("ALTER TABLE companies RENAME TO firms")?;
        Ok::<_, roster::db::Error>(())
    })
    .unwrap();
    let mut answer = server.get("companies/", &[("x-request-id", "mine-7")]);
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["x-request-id"], "mine-7");
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"detail": "A server error occurred.", "code": "error", "request_id": "mine-7"})
    );
    let begins = server.line();
    assert!(
        begins.contains("DEBUG roster::middleware::hooks: "),
        "{begins}"
    );
    let fails = server.line();
    assert!(
        fails.contains("ERROR roster::middleware::hooks: "),
        "{fails}"
    );
    let ends = server.line();
    assert!(ends.contains("ERROR roster::request: "), "{ends}");
    assert_eq!(value(&ends, "status"), Some("500"));
    for line in [begins, fails, ends] {
        assert!(line.contains("mine-7"), "{line}");
        assert!(
            line.contains("list_companies") || line.contains("companies"),
            "{line}"
        );
    }
}

/// Lines gather before they are written, and those that still do at the end are.
#[test]
fn the_log_is_whole_when_the_server_has_ended() {
    const REQUESTS: usize = 50;
    let mut server = Watched::start(&[], &[]);
    for _ in 0..REQUESTS {
        server.get("companies/?page_size=1", &[]);
    }
    let id = server.child.id().to_string();
    let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(told.success());
    let lines = server.log.by_ref().map(Result::unwrap);
    let requests = lines.filter(|line| value(line, "path") == Some("/api/companies/"));
    assert_eq!(requests.count(), REQUESTS);
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let server = Watched::start(&[], &[]);
    // Several times what a pipe takes.
    for _ in 0..2_000 {
        assert_eq!(server.get("companies/?page_size=1", &[]).status(), 200);
    }
}

#[test]
fn metrics_are_on_a_listener_of_their_own() {
    let mut server = Watched::start(
        &[
            "--metrics-bind",
            "127.0.0.1:0",
            "--throttle-anon",
            "2/minute",
        ],
        &[("ROSTER_LOG", "warn")],
    );
    let line = server.line();
    let url = line.strip_prefix("Metrics are at ").unwrap().to_owned();
    assert_eq!(server.get("developers/", &[]).status(), 200);
    assert_eq!(server.get("developers/7/", &[]).status(), 404);
    assert_eq!(server.get("developers/8/", &[]).status(), 429);
    assert_eq!(server.get("nothing/here/", &[]).status(), 404);
    assert_eq!(server.get("../metrics", &[]).status(), 404);
    let mut answer = ureq::get(&url).call().unwrap();
    let kind = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = answer.body_mut().read_to_string().unwrap();
    for line in [
        r#"roster_http_requests_total{method="GET",route="/api/developers/",status="200"} 1"#,
        r#"roster_http_requests_total{method="GET",route="/api/developers/{id}/",status="404"} 1"#,
        r#"roster_http_requests_total{method="GET",route="/api/developers/{id}/",status="429"} 1"#,
        r#"roster_http_requests_total{method="GET",route="none",status="404"} 2"#,
        r#"roster_http_request_duration_seconds_count{method="GET",route="/api/developers/{id}/"} 2"#,
        "roster_http_requests_in_flight 0",
        r#"roster_limit_hits_total{limit="anon"} 1"#,
        r#"roster_limit_hits_total{limit="login"} 0"#,
    ] {
        assert!(
            text.lines().any(|known| known == line),
            "{line} is not in\n{text}"
        );
    }
    for name in [
        "roster_sql_statements_total ",
        "roster_sql_seconds_total ",
        "roster_database_wait_seconds_count{door=\"read\"} ",
        "roster_commit_group_size_count ",
        "roster_database_bytes{file=\"database\"} ",
        "roster_build_info{",
        "process_resident_memory_bytes ",
        "process_open_fds ",
    ] {
        assert!(
            text.contains(&format!("\n{name}")),
            "{name} is not in\n{text}"
        );
    }
}

#[test]
fn settings_of_the_pipeline_are_checked() {
    for (args, message) in [
        (
            &["--rate-limit", "100"][..],
            "a rate is a number and its time",
        ),
        (&["--rate-limit", "0/minute"], "lets at least one through"),
        (
            &["--throttle-anon", "5/year"],
            "a rate is a number and its time",
        ),
        (&["--trusted-proxy", "10.0.0.0/33"], "a proxy is an address"),
        (&["--trusted-proxy", "localhost"], "a proxy is an address"),
        (
            &["--cors-origin", "example.com"],
            "an origin is a scheme and a host",
        ),
        (
            &["--cors-origin", "https://example.com/"],
            "an origin is a scheme and a host",
        ),
        (&["--log-format", "xml"], "possible values: text, json"),
    ] {
        let output = roster_with(&[&["serve"], args].concat(), &[])
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(message), "{args:?}: {error}");
    }
}

#[test]
fn settings_that_repeat_come_from_flags_commas_and_lists() {
    let place = Place::new();
    let file = place.file(
        "roster.toml",
        "cors-origin = [\"https://a.example\", \"https://b.example\"]\nrate-limit = \"off\"\n",
    );
    let commas = ("ROSTER_CORS_ORIGIN", "https://a.example,https://b.example");
    let flags = [
        "--cors-origin=https://a.example",
        "--cors-origin",
        "https://b.example",
    ];
    for (args, environment) in [
        (&flags[..], &[][..]),
        (&[], &[commas]),
        (&["--config", &file], &[]),
    ] {
        let server = Watched::start(args, environment);
        for origin in ["https://a.example", "https://b.example"] {
            let answer = server.get("", &[("origin", origin)]);
            assert_eq!(answer.headers()["access-control-allow-origin"], origin);
        }
    }
}

#[test]
fn the_limits_are_on_when_nothing_is_said() {
    let on = [
        "RATE_LIMIT",
        "THROTTLE_ANON",
        "THROTTLE_USER",
        "THROTTLE_LOGIN",
    ];
    let place = Place::new();
    let url = place.url();
    let mut command = roster_with(&["--bind", "127.0.0.1:0", "--database-url", &url], &[]);
    for name in on {
        command.env_remove(format!("ROSTER_{name}"));
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = log.next().unwrap().unwrap();
    let server = Watched {
        api: first.split(' ').next_back().unwrap().to_owned(),
        child,
        log,
        place,
    };
    let policy = |path: &str| {
        let answer = server.get(path, &[]);
        answer.headers()["ratelimit-policy"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(policy("nothing/"), "\"address\";q=100;w=60");
    assert_eq!(policy("companies/"), "\"anon\";q=20;w=60");
}
