use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use actix_web::dev::ServerHandle;
use roster::{db::Db, server};
use serde_json::Value;
use ureq::http::{HeaderMap, Request};

use super::Place;

/// A server of its own, on a fresh database and a free port of its own.
pub struct App {
    pub db: Db,
    pub address: SocketAddr,
    agent: ureq::Agent,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
    _place: Place,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl App {
    /// An empty directory.
    pub fn new() -> Self {
        let place = Place::new();
        let db = place.open();
        let settings = server::Settings {
            bind: "127.0.0.1:0".to_owned(),
            workers: 1,
            shutdown_timeout: Duration::from_secs(10),
        };
        let (started, start) = mpsc::channel();
        let doors = db.clone();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let (server, addresses) = server::listen(&doors, &settings).unwrap();
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
            _place: place,
        }
    }

    /// The sample directory.
    pub fn sample() -> Self {
        let app = Self::new();
        roster::commands::import::sample(&app.db).unwrap();
        app
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = if path.starts_with("http://") {
            path.to_owned()
        } else {
            self.url(path)
        };
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self.agent.run(request.body(()).unwrap()).unwrap();
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

    /// The answer to exactly these bytes, until the server closes the connection.
    pub fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
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

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
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
