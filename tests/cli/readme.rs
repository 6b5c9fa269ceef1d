//! The consoles in README and tour: each command in them is run and has to print what stands there. `…` stands for any text, and as a
//! line of its own for any lines.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use regex::Regex;
use ureq::http::Request;

use super::documents::{document, documents};
use crate::support::{Served, roster_with};

/// Where its server listens, and the password that it prints.
const ADDRESS: &str = "http://127.0.0.1:8000";

/// A command and what it prints.
struct Step {
    command: String,
    output: Vec<String>,
}

/// All commands of a document's consoles, in their order.
fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_console = false;
    for line in document.lines() {
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
        (r"shown this once: \S+", "PASSWORD"),
        (r#"etag: "[\w-]{22}"#, "etag: \"TAG"),
    ];
    differs
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            let pattern = Regex::new(pattern).unwrap();
            pattern.replace_all(&text, *name).into_owned()
        })
}

/// Whether `said` is `expected`, whose `…` may stand for anything.
fn resembles(said: &str, expected: &str) -> bool {
    let line = |line: &str| match line {
        "…" => "(?:.*\n)*?".to_owned(),
        line => {
            let parts: Vec<_> = line.split('…').map(regex::escape).collect();
            format!("{}\n", parts.join(".*?"))
        }
    };
    let pattern: String = expected.lines().map(line).collect();
    let mut said = said.trim_end().to_owned();
    if !said.is_empty() {
        said.push('\n');
    }
    Regex::new(&format!("^{pattern}$")).unwrap().is_match(&said)
}

/// [`resembles`] for headers, whose order means nothing.
fn resembles_in_any_order(said: &str, expected: &str) -> bool {
    let has = |line: &str| said.lines().any(|said| resembles(said, line));
    let shown = expected.lines().filter(|line| *line != "…");
    let is_whole = !expected.lines().any(|line| line == "…");
    shown.clone().all(has) && !(is_whole && shown.count() != said.lines().count())
}

/// What `curl` would print, of the flags that the documents use.
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
    let served = Served::spawn(command, 6);
    let printed = std::iter::once(served.first.clone()).chain(served.greeting.clone());
    let printed = printed.collect();
    (served, printed)
}

/// Runs the commands of a document and returns how many there were.
fn run(document: &str) -> usize {
    let (demo, printed) = demo();
    let address = demo.api.trim_end_matches("/api/").to_owned();
    let password = |line: &String| Some(line.split_once("shown this once: ")?.1.to_owned());
    let own_password = printed.iter().find_map(password).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut shown_password, mut access) = (String::new(), String::new());
    let mut ran = 0;
    for Step { command, output } in steps(document) {
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
                    rest.split('"').next().unwrap().clone_into(&mut access);
                }
                (said, !words.contains(&"-I".to_owned()))
            }
            "roster" if command == "roster serve" => {
                let url = folder.path().join("roster.db");
                let url = url.to_str().unwrap();
                let args = ["--bind=127.0.0.1:0", "--database-url", url];
                let served = Served::start(&args, &[], output.len() - 1);
                let lines = std::iter::once(served.first.clone()).chain(served.greeting.clone());
                (lines.collect::<Vec<_>>().join("\n"), true)
            }
            _ => (shell(&command, folder.path()), true),
        };
        let (said, expected) = (lasting(said.trim_end()), lasting(&expected));
        let as_written = if ordered {
            resembles(&said, &expected)
        } else {
            resembles_in_any_order(&said, &expected)
        };
        assert!(
            as_written,
            "$ {command}\nprinted:\n{said}\nbut this is written:\n{expected}"
        );
        ran += 1;
    }
    ran
}

#[test]
fn what_the_readme_shows_is_what_happens() {
    assert!(run(&document("README.md")) > 8);
}

#[test]
fn what_the_tour_shows_is_what_happens() {
    assert!(run(&document("docs/tour.md")) > 15);
}

#[test]
fn consoles_stand_only_where_they_are_run() {
    for (name, text) in documents() {
        let is_run = ["README.md", "docs/tour.md"].contains(&name.as_str());
        assert_eq!(text.contains("```console"), is_run, "{name}");
    }
}
