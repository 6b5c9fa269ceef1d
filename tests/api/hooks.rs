//! Hooks: in which order they are called, and what they may change.

use std::sync::{Arc, Mutex};

use actix_web::{HttpRequest, HttpResponse};
use roster::{
    error::Error,
    middleware::{Hook, Hooks},
    server::Settings,
};
use serde_json::{Map, Value, json};

use crate::support::{App, Options};

type Calls = Arc<Mutex<Vec<String>>>;

/// Writes down when it is called, and does what the test wants.
struct Named {
    name: &'static str,
    calls: Calls,
    ends: bool,
    replaces: bool,
}

impl Named {
    fn note(&self, what: &str) {
        self.calls
            .lock()
            .unwrap()
            .push(format!("{} {what}", self.name));
    }
}

impl Hook for Named {
    fn before_handler(&self, _: &HttpRequest, handler: &str) -> Option<HttpResponse> {
        self.note(handler);
        self.ends
            .then(|| HttpResponse::ImATeapot().json(json!({"by": self.name})))
    }

    fn on_error(&self, _: &HttpRequest, handler: &str, error: &Error) -> Option<HttpResponse> {
        self.note(&format!("{handler}: {error}"));
        self.replaces
            .then(|| HttpResponse::Gone().json(json!({"by": self.name})))
    }

    fn on_page(&self, _: &HttpRequest, data: &mut Map<String, Value>) {
        self.note("page");
        data.insert("audit_timestamp".to_owned(), json!(self.name));
    }
}

/// A server with three of them, of which some end a request or replace an error.
fn hooked(ends: &[&str], replaces: &[&str]) -> (App, Calls) {
    let calls = Calls::default();
    let hook = |name: &'static str| -> Arc<dyn Hook> {
        Arc::new(Named {
            name,
            calls: calls.clone(),
            ends: ends.contains(&name),
            replaces: replaces.contains(&name),
        })
    };
    let app = App::with(Options {
        server: Settings {
            hooks: Hooks(["outer", "middle", "inner"].map(hook).into()),
            ..Settings::default()
        },
        ..Options::default()
    });
    (app, calls)
}

fn taken(calls: &Calls) -> Vec<String> {
    std::mem::take(&mut calls.lock().unwrap())
}

#[test]
fn they_are_called_from_the_outermost_in_and_from_the_innermost_out() {
    let (app, calls) = hooked(&[], &[]);
    let page = app.get("/api/companies/").ok();
    assert_eq!(
        taken(&calls),
        [
            "outer list_companies",
            "middle list_companies",
            "inner list_companies",
            "inner page",
            "middle page",
            "outer page"
        ]
    );
    // The outermost had the last word.
    assert_eq!(
        page,
        json!({"next": null, "previous": null, "results": [], "audit_timestamp": "outer"})
    );
    app.get("/api/companies/7/").refused(404);
    let error = "get_company: No Company matches the given query.";
    assert_eq!(
        taken(&calls),
        [
            "outer get_company".to_owned(),
            "middle get_company".to_owned(),
            "inner get_company".to_owned(),
            format!("inner {error}"),
            format!("middle {error}"),
            format!("outer {error}")
        ]
    );
}

#[test]
fn a_response_ends_a_request_at_every_depth() {
    for (depth, name) in ["outer", "middle", "inner"].into_iter().enumerate() {
        let (app, calls) = hooked(&[name], &[]);
        let statements = app.statements(|| {
            assert_eq!(app.get("/api/companies/").refused(418), json!({"by": name}));
        });
        assert_eq!(taken(&calls).len(), depth + 1, "{name}");
        assert_eq!(statements, 0, "the handler ran");
    }
}

#[test]
fn an_error_is_replaced_once() {
    let (app, calls) = hooked(&[], &["outer", "middle"]);
    assert_eq!(
        app.get("/api/companies/7/").refused(410),
        json!({"by": "middle"})
    );
    let calls = taken(&calls);
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert!(calls[4].starts_with("middle get_company: "));
}

#[test]
fn nobody_who_is_refused_gets_to_them() {
    let (app, calls) = hooked(&["outer"], &["outer"]);
    for (path, status) in [("/api/projects/", 401), ("/api/nothing/", 404)] {
        assert_eq!(app.get(path).status, status);
    }
    assert_eq!(app.send("DELETE", "/api/companies/", &[]).status, 405);
    assert_eq!(taken(&calls), [""; 0]);
}
