//! What must never be told: passwords, tokens and keys are in no log line, whatever is logged.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::support::{Place, roster_with};

const KEY: &str = "key-of-the-server-0123456789abcdef";
const PASSWORDS: [&str; 4] = [
    "difference-engine",
    "analytical-engine",
    "jacquards-loom",
    "wrong-password-xyz",
];

struct Secrets(Vec<String>);

impl Secrets {
    /// The two tokens of a pair, and the signatures and the ids in them.
    fn add(&mut self, pair: &Value) -> (String, String) {
        let token = |name: &str| pair[name].as_str().unwrap().to_owned();
        let (access, refresh) = (token("access"), token("refresh"));
        for token in [&access, &refresh] {
            self.0.push(token.clone());
            self.0.push(token.rsplit('.').next().unwrap().to_owned());
            self.0.push(token.split('.').nth(1).unwrap().to_owned());
        }
        (access, refresh)
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one run of a server, from its first user to its end"
)]
fn no_secret_reaches_a_log() {
    let place = Place::new();
    let log = place.path("log");
    let url = place.url();
    let environment = [("ROSTER_SECRET_KEY", KEY), ("ROSTER_LOG", "trace")];
    let to_log = |command: &mut std::process::Command| {
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command.stderr(Stdio::from(file));
    };

    let mut create = roster_with(
        &[
            "createuser",
            "boss",
            "--staff",
            "--password-stdin",
            "--database-url",
            &url,
        ],
        &environment,
    );
    to_log(&mut create);
    let mut create = create
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    create
        .stdin
        .take()
        .unwrap()
        .write_all(PASSWORDS[0].as_bytes())
        .unwrap();
    assert!(create.wait().unwrap().success());

    let mut serve = roster_with(
        &["serve", "--bind", "127.0.0.1:0", "--database-url", &url],
        &environment,
    );
    to_log(&mut serve);
    let mut serve = serve.stdout(Stdio::piped()).spawn().unwrap();
    // It logs there too.
    let mut printed = BufReader::new(serve.stdout.take().unwrap()).lines();
    let mut told = String::new();
    let address = printed.by_ref().map(Result::unwrap).find(|line| {
        told.push_str(line);
        told.push('\n');
        line.starts_with("roster ")
    });
    let api = address.unwrap().rsplit(' ').next().unwrap().to_owned();
    let logging = std::thread::spawn(move || {
        for line in printed {
            told.push_str(&line.unwrap());
            told.push('\n');
        }
        told
    });
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build(),
    );
    let post = |path: &str, access: Option<&str>, body: &str| {
        let mut request = agent
            .post(format!("{api}{path}"))
            .header("content-type", "application/json");
        if let Some(access) = access {
            request = request.header("authorization", format!("Bearer {access}"));
        }
        let mut answer = request.send(body).unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().unwrap(),
        )
    };
    let json_of = |(status, body): (u16, String)| -> Value {
        assert!(status < 300, "{status} {body}");
        serde_json::from_str(&body).unwrap_or_default()
    };

    let mut secrets = Secrets(vec![KEY.to_owned()]);
    secrets.0.extend(PASSWORDS.map(ToOwned::to_owned));
    let sign_in = |password: &str| json!({"username": "boss", "password": password}).to_string();
    let (access, refresh) = secrets.add(&json_of(post("token/", None, &sign_in(PASSWORDS[0]))));
    let (access_2, _) = secrets.add(&json_of(post(
        "token/refresh/",
        None,
        &json!({"refresh": refresh}).to_string(),
    )));
    // Everything that can go wrong with a secret in hand.
    for (path, access, body) in [
        ("token/", None, sign_in(PASSWORDS[3])),
        ("token/", None, sign_in(PASSWORDS[3]).replace('}', "")),
        ("token/verify/", None, json!({"token": access}).to_string()),
        (
            "token/verify/",
            None,
            json!({"token": [access]}).to_string(),
        ),
        ("users/", Some(format!("{access}x")), "{}".to_owned()),
        (
            "users/",
            Some(format!("{access} {access_2}")),
            "{}".to_owned(),
        ),
        (
            "users/",
            Some(access_2.clone()),
            json!({"username": "a b", "password": PASSWORDS[1]}).to_string(),
        ),
        (
            "users/",
            Some(access_2.clone()),
            json!({"username": "ada", "password": PASSWORDS[1]}).to_string(),
        ),
        (
            "users/me/password/",
            Some(access_2.clone()),
            json!({"current_password": PASSWORDS[3], "new_password": PASSWORDS[2]}).to_string(),
        ),
        (
            "users/me/password/",
            Some(access_2),
            json!({"current_password": PASSWORDS[0], "new_password": PASSWORDS[2]}).to_string(),
        ),
        // It ends the session, and the access tokens with it.
        (
            "token/refresh/",
            None,
            json!({"refresh": refresh}).to_string(),
        ),
    ] {
        let (_, body) = post(path, access.as_deref(), &body);
        for secret in &secrets.0 {
            assert!(
                !body.contains(secret),
                "{path} answers with a secret: {body}"
            );
        }
    }
    let (status, _) = post(&format!("token/verify/?token={access}"), None, "{}");
    assert_eq!(status, 400);
    secrets.add(&json_of(post("token/", None, &sign_in(PASSWORDS[2]))));
    serve.kill().unwrap();
    serve.wait().unwrap();

    let mut printed = logging.join().unwrap();
    printed.push_str(&std::fs::read_to_string(log).unwrap());
    let log = printed;
    assert!(log.contains("path=/api/token/verify/ status=400"), "{log}");
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "nothing was logged at that level: {log}"
    );
    for secret in &secrets.0 {
        let told = log.lines().find(|line| line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
    assert!(!log.contains("argon2id$"), "a hash is in the log");
}
