use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use actix_web::dev::ServerHandle;
use roster::{
    auth::{self, Auth, Secret},
    db::{Db, Patience, Readiness},
    metrics::Metrics,
    server,
};
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Request};

use super::{PASSWORD, Place, add_user};

/// The key that the tests' servers sign with.
pub const SECRET: &str = "a key for the tests, longer than 32 bytes";

/// A server of its own, on a fresh database and a free port of its own.
pub struct App {
    pub db: Db,
    pub address: SocketAddr,
    agent: ureq::Agent,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    place: Place,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// Somebody who sends requests to an [`App`].
#[derive(Clone)]
pub struct Client<'a> {
    pub app: &'a App,
    /// Of the user whose tokens these are; 0 for nobody.
    pub id: i64,
    pub access: Option<String>,
    pub refresh: String,
}

/// What tests vary of a server.
#[derive(Clone)]
pub struct Options {
    pub access: Duration,
    pub refresh: Duration,
    pub grace: Duration,
    pub query_timeout: Option<Duration>,
    pub server: server::Settings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access: Duration::from_mins(5),
            refresh: Duration::from_hours(24),
            grace: Duration::ZERO,
            query_timeout: None,
            server: server::Settings::default(),
        }
    }
}

impl App {
    /// An empty directory.
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let place = Place::new();
        let target = place.url().parse().unwrap();
        let patience = Patience {
            query: options.query_timeout,
            ..Patience::default()
        };
        let db = Db::open_patient(&target, Readiness::CreateWhenNew, patience).unwrap();
        let auth = Auth::new(auth::Settings {
            secret: Secret::new(SECRET.to_owned()).unwrap(),
            access_token_lifetime: options.access,
            refresh_token_lifetime: options.refresh,
            refresh_grace: options.grace,
        });
        let metrics = Metrics::new(&db).unwrap();
        let settings = options.server;
        let (started, start) = mpsc::channel();
        let doors = db.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let (server, addresses) = server::listen(&doors, auth, metrics, &settings).unwrap();
                started.send((server.handle(), addresses[0])).unwrap();
                server.await.unwrap();
            });
        });
        let (handle, address) = start.recv().unwrap();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let agent = ureq::Agent::new_with_config(config);
        Self {
            db,
            address,
            agent,
            handle,
            thread: Some(thread),
            place,
        }
    }

    /// The sample directory.
    pub fn sample() -> Self {
        let app = Self::new();
        roster::commands::demo::sample(&app.db).unwrap();
        app
    }

    /// As `--database-url` takes it.
    pub fn database_url(&self) -> String {
        self.place.url()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Somebody who has not signed in.
    pub fn anonymous(&self) -> Client<'_> {
        Client {
            app: self,
            id: 0,
            access: None,
            refresh: String::new(),
        }
    }

    /// A new user, signed in.
    pub fn user(&self, username: &str) -> Client<'_> {
        self.sign_in(add_user(&self.db, username, false), username)
    }

    /// A new user of the staff, signed in.
    pub fn staff(&self, username: &str) -> Client<'_> {
        self.sign_in(add_user(&self.db, username, true), username)
    }

    /// A new session of a user who is there.
    pub fn sign_in(&self, id: i64, username: &str) -> Client<'_> {
        let credentials = json!({"username": username, "password": PASSWORD});
        let pair = self.anonymous().post("/api/token/", &credentials).ok();
        Client {
            app: self,
            id,
            access: pair["access"].as_str().map(ToOwned::to_owned),
            refresh: pair["refresh"].as_str().unwrap().to_owned(),
        }
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_body(method, path, headers, "")
    }

    pub fn send_body(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let url = if path.starts_with("http://") {
            path.to_owned()
        } else {
            self.url(path)
        };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.as_ref();
        let response = if body.is_empty() {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        };
        let mut response = response.unwrap();
        let body = response.body_mut().read_to_string().unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        }
    }

    /// By path, or by a URL that the server gave.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[])
    }

    /// The answer to exactly this, until the server closes the connection.
    pub fn raw(&self, request: &str) -> String {
        String::from_utf8(self.raw_bytes(request)).unwrap()
    }

    /// As [`raw`](Self::raw), for an answer that is no text.
    pub fn raw_bytes(&self, request: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Begins to end the server, as a signal does, and returns at once.
    pub fn stop_in_order(&self) {
        drop(self.handle.stop(true));
    }

    /// The statements that `work` makes the server run.
    pub fn statements(&self, work: impl FnOnce()) -> u64 {
        let before = self.db.statements();
        work();
        self.db.statements() - before
    }
}

impl Drop for App {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.db.close();
    }
}

impl Client<'_> {
    pub fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let authorization = self.access.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = Vec::new();
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization.as_str()));
        }
        let body = body.map(ToString::to_string);
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.app
            .send_body(method, path, &headers, body.unwrap_or_default())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body))
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some(body))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    /// The next pair for this refresh token.
    pub fn refreshed(&self, token: &str) -> Answer {
        self.app
            .anonymous()
            .post("/api/token/refresh/", &json!({"refresh": token}))
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of a 201.
    pub fn created(self) -> Value {
        assert_eq!(self.status, 201, "{}", self.body);
        self.json()
    }

    /// The body of an answer that refuses.
    pub fn refused(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }

    /// The body of a 200.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.header("content-type"), Some("application/json"));
        self.json()
    }

    /// The values of one field of a page's objects.
    pub fn column(self, name: &str) -> Vec<Value> {
        self.ok()["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| object[name].clone())
            .collect()
    }

    pub fn names(self) -> Vec<String> {
        self.column("name")
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }
}
