use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// What a command left behind.
#[derive(Debug)]
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The binary, with nothing of this machine's environment in its settings.
pub fn roster_with(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roster"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROSTER_")) {
        command.env_remove(name);
    }
    command
        .args(args)
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
    /// The lines it printed behind that.
    pub greeting: Vec<String>,
}

impl Served {
    /// Starts `roster serve` and waits until it has printed its address and `lines` more.
    pub fn start(args: &[&str], environment: &[(&str, &str)], lines: usize) -> Self {
        let mut command = roster_with(args, environment);
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
        let greeting = printed.take(lines).map(Result::unwrap).collect();
        Self {
            child,
            api,
            greeting,
        }
    }

    pub fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let url = format!("{}{path}", self.api);
        let mut response = ureq::Agent::new_with_config(config)
            .get(url)
            .call()
            .unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        (
            response.status().as_u16(),
            serde_json::from_str(&body).unwrap(),
        )
    }

    pub fn id(&self) -> u32 {
        self.child.id()
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
