use std::{
    io::{BufRead, BufReader, Lines, Read},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

/// What a command left behind.
#[derive(Debug)]
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// What switches the limits off, for tests ask more often than any client.
const UNLIMITED: [(&str, &str); 5] = [
    ("ROSTER_RATE_LIMIT", "off"),
    ("ROSTER_THROTTLE_ANON", "off"),
    ("ROSTER_THROTTLE_USER", "off"),
    ("ROSTER_THROTTLE_LOGIN", "off"),
    ("ROSTER_THROTTLE_ACCOUNT", "off"),
];

/// The binary, with nothing of this machine's environment in its settings.
pub fn roster_with(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roster"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROSTER_")) {
        command.env_remove(name);
    }
    // A server on PostgreSQL must be told its key.
    if args.iter().any(|arg| arg.starts_with("postgres")) {
        command.env("ROSTER_SECRET_KEY", super::SECRET);
    }
    command
        .args(args)
        .envs(UNLIMITED)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub fn roster(args: &[&str]) -> Output {
    Output::of(roster_with(args, &[]))
}

impl Output {
    pub fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a command that succeeded.
    pub fn ok(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.stdout
    }

    /// Standard error of a command that failed.
    pub fn failed(self) -> String {
        assert_eq!(self.status, 1, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        self.stderr
    }
}

/// A server as a process of its own.
pub struct Served {
    child: Child,
    /// `http://…/api/`, as it printed it.
    pub api: String,
    /// The line with that.
    pub first: String,
    /// The lines it printed behind that.
    pub greeting: Vec<String>,
    /// Kept open: a server may go on to print.
    stdout: Lines<BufReader<ChildStdout>>,
    /// Where it keeps temporary files: a demo that is killed leaves some.
    _temporary: tempfile::TempDir,
}

impl Served {
    /// Starts `roster serve` and waits until it has printed its address and `lines` more.
    pub fn start(args: &[&str], environment: &[(&str, &str)], lines: usize) -> Self {
        Self::spawn(roster_with(args, environment), lines)
    }

    /// As [`start`](Self::start), with a command of the test's own.
    pub fn spawn(mut command: Command, lines: usize) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        if !command.get_envs().any(|(name, _)| name == "TMPDIR") {
            command.env("TMPDIR", temporary.path());
        }
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
        let Some(Ok(first)) = printed.next() else {
            let mut error = String::new();
            child.stderr.unwrap().read_to_string(&mut error).unwrap();
            panic!("the server did not start: {error}");
        };
        let api = first.split(' ').next_back().unwrap().to_owned();
        let greeting = printed.by_ref().take(lines).map(Result::unwrap).collect();
        Self {
            child,
            api,
            first,
            greeting,
            stdout: printed,
            _temporary: temporary,
        }
    }

    /// A path within the API, or from the root.
    pub fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let url = if path.starts_with('/') {
            format!("{}{path}", self.api.trim_end_matches("/api/"))
        } else {
            format!("{}{path}", self.api)
        };
        Self::read(Self::agent().get(url).call())
    }

    pub fn post(&self, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        self.post_with(&[], path, body)
    }

    /// As the user whose access token it is.
    pub fn post_as(
        &self,
        token: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let bearer = format!("Bearer {token}");
        self.post_with(&[("authorization", &bearer)], path, body)
    }

    fn post_with(
        &self,
        headers: &[(&str, &str)],
        path: &str,
        body: &serde_json::Value,
    ) -> (u16, serde_json::Value) {
        let request = Self::agent().post(format!("{}{path}", self.api));
        let request = request.header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        Self::read(request.send(body.to_string()))
    }

    /// The access token of a user whom [`add_user`](super::add_user) has made.
    pub fn sign_in(&self, username: &str) -> String {
        let credentials = serde_json::json!({"username": username, "password": super::PASSWORD});
        let (status, pair) = self.post("token/", &credentials);
        assert_eq!(status, 200, "{pair}");
        pair["access"].as_str().unwrap().to_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn agent() -> ureq::Agent {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        ureq::Agent::new_with_config(config)
    }

    fn read(
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> (u16, serde_json::Value) {
        let mut answer = answer.unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_str(&body).unwrap(),
        )
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Ends it in order, and returns what it has printed since [`start`](Self::start).
    pub fn log(mut self) -> Vec<String> {
        self.signal("-TERM");
        let lines = self.stdout.by_ref().map(Result::unwrap).collect();
        self.wait();
        lines
    }

    /// Its exit status, within ten seconds.
    pub fn wait(&mut self) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not end");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
