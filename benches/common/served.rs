//! The release binary as a process, and `wrk` against it.

#![allow(clippy::print_stdout, reason = "a benchmark prints")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Instant,
};

pub const ROSTER: &str = env!("CARGO_BIN_EXE_roster");
/// The key that the servers sign with.
pub const SECRET: &str = "a key for benchmarks, longer than 32 bytes";

pub fn ratio(what: &str, one: f64, other: f64) {
    println!("{what}: {one:.3} / {other:.3} = {:.2}", one / other);
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub fn remove(path: &str) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{path}{suffix}"));
    }
}

pub fn roster(args: &[&str]) {
    let status = Command::new(ROSTER)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{args:?}");
}

/// Requests a second.
pub fn rate_of(connections: &str, seconds: f64, url: &str) -> f64 {
    wrk(connections, seconds, &[url])
}

/// Requests a second of those that the Lua script describes.
pub fn rate_of_script(connections: &str, seconds: f64, script: &str, url: &str) -> f64 {
    wrk(connections, seconds, &["-s", script, url])
}

fn wrk(connections: &str, seconds: f64, args: &[&str]) -> f64 {
    let output = Command::new("wrk")
        .args(["-t1", "-c", connections, "-d", &seconds.to_string()])
        .args(args)
        .output()
        .unwrap_or_else(|error| panic!("wrk: {error}"));
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(!output.contains("Non-2xx"), "{output}");
    let line = output
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))
        .unwrap();
    line.trim().parse().unwrap()
}

pub struct Served {
    child: Child,
    pub api: String,
    /// Seconds.
    pub until_first_answer: f64,
}

impl Served {
    pub fn start(database: &str) -> Self {
        Self::start_with(database, &[])
    }

    pub fn start_with(database: &str, environment: &[(&str, &str)]) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(ROSTER)
            .args(["serve", "--bind", "127.0.0.1:0", "--database-url", database])
            .env("ROSTER_SECRET_KEY", SECRET)
            .env("ROSTER_RATE_LIMIT", "off")
            .env("ROSTER_THROTTLE_ANON", "off")
            .env("ROSTER_THROTTLE_USER", "off")
            .env("ROSTER_THROTTLE_LOGIN", "off")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        log.read_line(&mut line).unwrap();
        // Somebody reads its log, and makes nothing of it.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let api = line.trim().rsplit(' ').next().unwrap().to_owned();
        let mut served = Self {
            child,
            api,
            until_first_answer: 0.0,
        };
        Served::body(&format!("{}developers/", served.api));
        served.until_first_answer = begun.elapsed().as_secs_f64();
        served
    }

    pub fn body(url: &str) -> String {
        ureq::get(url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    }

    /// The page 90,000 rows behind the first.
    pub fn deep(first: &str) -> String {
        let next = |url: &str| {
            let page: serde_json::Value = serde_json::from_str(&Self::body(url)).unwrap();
            page["next"].as_str().unwrap().to_owned()
        };
        let mut url = format!("{first}?page_size=100");
        for _ in 0..900 {
            url = next(&url);
        }
        url.replace("page_size=100", "page_size=25")
    }

    pub fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = |name: &str| -> f64 {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
        };
        println!("  of it anonymous: {:.1} MB", line("RssAnon:"));
        line("VmRSS:")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
