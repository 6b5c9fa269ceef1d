//! The README's consoles: each command in them is run, and has to say what stands there.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use regex::Regex;
use ureq::http::Request;

use crate::support::{Served, roster_with};

const README: &str = include_str!("../../README.md");
/// Where its server listens, and the password that it prints.
const ADDRESS: &str = "http://127.0.0.1:8000";

/// A command and what it prints.
struct Step {
    command: String,
    output: Vec<String>,
}

/// All commands of all consoles, in their order.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_console = false;
    for line in README.lines() {
        match line {
            "```console" => in_console = true,
            "```" => in_console = false,
            _ if !in_console => {}
            line => match line.strip_prefix("$ ") {
                Some(command) => steps.push(Step {
                    command: command.to_owned(),
                    output: Vec::new(),
                }),
                None => steps.last_mut().unwrap().output.push(line.to_owned()),
            },
        }
    }
    steps
}

/// The text without what differs from one run to the next.
fn lasting(text: &str) -> String {
    let differs = [
        (
            r"\S*/(roster-demo-[^/ ]+|srv/roster|\.tmp[^/ ]+)/roster\.db",
            "DATABASE",
        ),
        (r"http://127\.0\.0\.1:\d+", "ADDRESS"),
        (r"cursor=[\w-]+", "CURSOR"),
        (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "TOKEN"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"shown this once: \S+", "PASSWORD"),
        (r#""request_id":"[^"]+""#, "REQUEST"),
        (r#"etag: "[\w-]{22}"#, "etag: \"TAG"),
        (r"(?m)^x-request-id: [\w-]{16}$", "x-request-id: MADE"),
        (r"date: .*", "date: NOW"),
        (r";t=\d+", ";t=SECONDS"),
    ];
    differs
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            let pattern = Regex::new(pattern).unwrap();
            pattern.replace_all(&text, *name).into_owned()
        })
}

/// What `curl` would print, of the flags that the README uses.
fn curl(words: &[String]) -> String {
    let (mut method, mut body, mut head, mut url) = (None, None, false, "");
    let mut request = Request::builder();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-X" => method = words.next(),
            "-H" => {
                let (name, value) = words.next().unwrap().split_once(": ").unwrap();
                request = request.header(name, value);
            }
            "-d" => body = words.next(),
            "-I" => (method, head) = (Some("HEAD"), true),
            address if address.starts_with("http") => url = address,
            other => panic!("{other} is no flag that is known here"),
        }
    }
    let method = method.unwrap_or(if body.is_some() { "POST" } else { "GET" });
    let request = request.method(method).uri(url);
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent = ureq::Agent::new_with_config(config.build());
    let answer = match body {
        Some(body) => agent.run(request.body(body).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    let mut answer = answer.unwrap();
    let mut printed = String::new();
    if head {
        let _ = writeln!(printed, "HTTP/1.1 {}", answer.status());
        for (name, value) in answer.headers() {
            let _ = writeln!(printed, "{name}: {}", value.to_str().unwrap());
        }
    }
    printed.push_str(&answer.body_mut().read_to_string().unwrap());
    printed
}

/// What a shell prints that is in the folder and finds `roster`.
fn shell(command: &str, folder: &Path) -> String {
    let roster = Path::new(env!("CARGO_BIN_EXE_roster"));
    let path = format!("{}:{}", roster.parent().unwrap().display(), env!("PATH"));
    let output = Command::new("sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("ROSTER_DATABASE_URL")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The demo, with the limits that it has when nothing is said, and what it printed.
fn demo() -> (Served, Vec<String>) {
    let mut command = roster_with(&["serve", "--demo", "--bind", "127.0.0.1:0"], &[]);
    for name in [
        "RATE_LIMIT",
        "THROTTLE_ANON",
        "THROTTLE_USER",
        "THROTTLE_LOGIN",
    ] {
        command.env_remove(format!("ROSTER_{name}"));
    }
    let served = Served::spawn(command, 5);
    let printed = std::iter::once(served.first.clone()).chain(served.greeting.clone());
    let printed = printed.collect();
    (served, printed)
}

#[test]
fn what_the_readme_shows_is_what_happens() {
    let (demo, printed) = demo();
    let address = demo.api.trim_end_matches("/api/").to_owned();
    let password = |line: &String| Some(line.split_once("shown this once: ")?.1.to_owned());
    let own_password = printed.iter().find_map(password).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut shown_password, mut access) = (String::new(), String::new());
    let mut ran = 0;
    for Step { command, output } in steps() {
        let expected = output.join("\n");
        let (said, ordered) = match command.split(' ').next().unwrap() {
            "cargo" if command.contains("serve --demo") && !output.is_empty() => {
                shown_password = output.iter().find_map(password).unwrap();
                (printed.join("\n"), true)
            }
            "cargo" => continue,
            "curl" => {
                let command = command
                    .replace(ADDRESS, &address)
                    .replace(&shown_password, &own_password)
                    .replace("$ACCESS", &access);
                let words = shlex::split(&command).unwrap();
                let said = curl(&words[1..]);
                if let Some((_, rest)) = said.split_once(r#"{"access":""#) {
                    access = rest.split('"').next().unwrap().to_owned();
                }
                // The order of headers means nothing.
                (said, !words.contains(&"-I".to_owned()))
            }
            "roster" if command == "roster serve" => {
                let url = folder.path().join("roster.db");
                let url = url.to_str().unwrap();
                let served = Served::start(&["--bind=127.0.0.1:0", "--database-url", url], &[], 1);
                (format!("{}\n{}", served.first, served.greeting[0]), true)
            }
            _ => (shell(&command, folder.path()), true),
        };
        let lines = |text: &str| {
            let mut lines: Vec<_> = lasting(text.trim_end())
                .lines()
                .map(ToOwned::to_owned)
                .collect();
            if !ordered {
                lines.sort_unstable();
            }
            lines
        };
        assert_eq!(lines(&said), lines(&expected), "$ {command}");
        ran += 1;
    }
    assert!(ran > 20, "only {ran} commands were found");
}
