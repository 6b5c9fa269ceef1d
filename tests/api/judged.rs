//! Whoever writes is judged again in the transaction that writes: between the head of a request and the end of its body, rights
//! may go.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::{Arc, Mutex},
};

use actix_web::{HttpRequest, HttpResponse};
use diesel::prelude::*;
use roster::{
    db::{
        Db, Error,
        schema::{audit, sessions, users},
    },
    middleware::{Hook, Hooks},
    server::Settings,
};
use serde_json::json;

use super::{
    permissions::{Row, body, everybody, rows},
    tokens::access_token,
};
use crate::support::{App, Client, Options, add_user};

type Event = Box<dyn FnOnce() + Send>;

/// Lets something happen once, between the judgement at the door and the handler.
#[derive(Clone, Default)]
struct Meanwhile(Arc<Mutex<Option<Event>>>);

impl Hook for Meanwhile {
    fn before_handler(&self, _: &HttpRequest, _: &str) -> Option<HttpResponse> {
        let event = self.0.lock().unwrap().take();
        // On a thread that may block.
        if let Some(event) = event {
            std::thread::spawn(event).join().unwrap();
        }
        None
    }
}

impl Meanwhile {
    fn app(&self) -> App {
        App::with(Options {
            server: Settings {
                hooks: Hooks(vec![Arc::new(self.clone())]),
                ..Settings::default()
            },
            ..Options::default()
        })
    }

    /// Does this to the user before the next handler runs.
    fn lose(&self, db: &Db, user: i64, loss: Loss) {
        let db = db.clone();
        let event = move || loss.happens(&db, user);
        *self.0.lock().unwrap() = Some(Box::new(event));
    }

    fn has_happened(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

/// How somebody loses what they may.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Demoted,
    Deactivated,
    Deleted,
    SignedOut,
}

impl Loss {
    const ALL: [Self; 4] = [
        Self::Demoted,
        Self::Deactivated,
        Self::Deleted,
        Self::SignedOut,
    ];

    fn happens(self, db: &Db, user: i64) {
        let row = users::table.find(user);
        let theirs = sessions::table.filter(sessions::user_id.eq(user));
        db.write_blocking(move |conn| {
            let changed = match self {
                Self::Demoted => diesel::update(row)
                    .set(users::is_staff.eq(false))
                    .execute(conn)?,
                Self::Deactivated => diesel::update(row)
                    .set(users::is_active.eq(false))
                    .execute(conn)?,
                Self::Deleted => diesel::delete(row).execute(conn)?,
                Self::SignedOut => diesel::delete(theirs).execute(conn)?,
            };
            assert_eq!(changed, 1);
            Ok::<_, Error>(())
        })
        .unwrap();
    }

    /// What a request of the staff is answered with then: status and code.
    fn refusal(self, row: &Row) -> Option<(u16, &'static str)> {
        const A_USER: usize = 3;
        match (self, row.statuses[A_USER]) {
            // What any user may do goes on.
            (Self::Demoted, ..400) => None,
            (Self::Demoted, 404) => Some((404, "not_found")),
            (Self::Demoted, status) => Some((status, "permission_denied")),
            (Self::Deactivated, _) => Some((401, "user_inactive")),
            (Self::Deleted, _) => Some((401, "user_not_found")),
            (Self::SignedOut, _) => Some((401, "token_not_valid")),
        }
    }
}

fn staff<'a>(app: &'a App, name: &str) -> Client<'a> {
    let id = add_user(&app.db, name, true);
    Client {
        id,
        access: Some(access_token(app, id)),
        ..app.anonymous()
    }
}

fn recorded(app: &App) -> i64 {
    app.db
        .read_blocking(|conn| Ok::<_, Error>(audit::table.count().get_result(conn)?))
        .unwrap()
}

#[test]
fn every_write_is_refused_to_those_who_have_lost_the_right_meanwhile() {
    let meanwhile = Meanwhile::default();
    let app = meanwhile.app();
    let _ = everybody(&app);
    let before = recorded(&app);
    let mut wrong = Vec::new();
    let rows = rows();
    let writes = rows
        .iter()
        .filter(|row| !row.reads() && row.statuses.last().is_some_and(|status| *status < 400));
    for (number, row) in writes.enumerate() {
        for loss in Loss::ALL {
            let Some((status, code)) = loss.refusal(row) else {
                continue;
            };
            let somebody = staff(&app, &format!("{loss:?}{number}"));
            meanwhile.lose(&app.db, somebody.id, loss);
            let Row { method, path, .. } = row;
            let answer = somebody.send(method, path, body(method, path).as_ref());
            assert!(meanwhile.has_happened(), "{method} {path}");
            if answer.status != status || answer.json()["code"] != code {
                wrong.push(format!("{method} {path} {loss:?}: {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(recorded(&app), before);
}

#[test]
fn an_owner_who_is_none_any_more_is_refused() {
    let meanwhile = Meanwhile::default();
    let app = meanwhile.app();
    let [_, _, _, _, owner, ..] = everybody(&app);
    for (path, status) in [("/api/developers/1/", 401), ("/api/projects/1/", 401)] {
        let client = Client {
            access: Some(access_token(&app, owner.id)),
            ..owner.clone()
        };
        meanwhile.lose(&app.db, owner.id, Loss::Deactivated);
        assert_eq!(client.patch(path, &json!({"name": "x"})).status, status);
        app.db
            .write_blocking(move |conn| {
                let back = users::is_active.eq(true);
                diesel::update(users::table).set(back).execute(conn)?;
                Ok::<_, Error>(())
            })
            .unwrap();
    }
}

#[test]
fn an_answer_is_not_given_again_to_those_who_have_lost_the_right() {
    let meanwhile = Meanwhile::default();
    let app = meanwhile.app();
    for loss in [Loss::Demoted, Loss::Deactivated, Loss::SignedOut] {
        let client = staff(&app, &format!("{loss:?}"));
        let bearer = format!("Bearer {}", client.access.as_ref().unwrap());
        let post = || {
            let headers = [
                ("authorization", bearer.as_str()),
                ("content-type", "application/json"),
                ("idempotency-key", "k"),
            ];
            let name = format!("{loss:?} Ltd");
            let body = json!({"name": name, "founded_year": 1999}).to_string();
            app.send_body("POST", "/api/companies/", &headers, body)
        };
        post().created();
        assert_eq!(post().header("idempotency-replayed"), Some("true"));
        meanwhile.lose(&app.db, client.id, loss);
        let refused = post();
        assert!([401, 403].contains(&refused.status), "{refused:?}");
        assert_eq!(refused.header("idempotency-replayed"), None);
    }
}

#[test]
fn a_body_that_comes_late_makes_no_account() {
    let app = App::new();
    let (boss, deputy) = (app.staff("boss"), app.staff("deputy"));
    for loss in Loss::ALL {
        let client = staff(&app, &format!("{loss:?}"));
        let body =
            json!({"username": "mole", "password": "another horse staple", "is_staff": true});
        let body = body.to_string();
        let mut stream = TcpStream::connect(app.address).unwrap();
        let head = format!(
            "POST /api/users/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            client.access.as_ref().unwrap(),
            body.len() + 1_000
        );
        // The blanks in front of the body come at once.
        stream
            .write_all((head + " ".repeat(1_000).as_str()).as_bytes())
            .unwrap();
        // When another request is answered, this one has been judged at the door: it was sent before, and waits for its body.
        deputy.get("/api/users/me/").ok();
        std::thread::sleep(std::time::Duration::from_millis(100));
        loss.happens(&app.db, client.id);
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = if matches!(loss, Loss::Demoted) {
            "403"
        } else {
            "401"
        };
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{loss:?}: {answer}"
        );
    }
    let found = boss.get("/api/users/?username=mole").column("id");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn requests_of_one_user_at_once_do_not_wait_for_one_another() {
    let app = App::new();
    let boss = app.staff("boss");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let mine = |number: usize| {
            let client = &boss;
            scope.spawn(move || match number % 3 {
                0 => {
                    let email = format!("boss{number}@example.org");
                    client
                        .patch("/api/users/me/", &json!({"email": email}))
                        .status
                }
                1 => {
                    let path = format!("/api/users/{}/", client.id);
                    let email = format!("boss{number}@example.org");
                    client.patch(&path, &json!({"email": email})).status
                }
                _ => {
                    let name = format!("Company {number}");
                    let body = json!({"name": name, "founded_year": 1999});
                    client.post("/api/companies/", &body).status
                }
            })
        };
        let senders: Vec<_> = (0..24).map(mine).collect();
        senders
            .into_iter()
            .map(|sender| sender.join().unwrap())
            .collect()
    });
    assert!(
        statuses.iter().all(|status| [200, 201].contains(status)),
        "{statuses:?}"
    );
}
