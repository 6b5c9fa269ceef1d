use std::{cell::Cell, net::SocketAddr, rc::Rc};

use actix_web::http::Method;

use crate::error::Error;

/// Why a request is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The head is not of the form that RFC 9112 describes, or says two things at once; and what exactly.
    Malformed(&'static str),
    /// The URL is longer than any that is looked at.
    UrlTooLong,
    /// The head has too many bytes or too many fields.
    HeadTooLarge,
    /// The head did not come in time.
    TooSlow,
    /// The server is no proxy.
    Connect,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(reason) => Self::Malformed(reason),
            Refusal::UrlTooLong => Self::UrlTooLong,
            Refusal::HeadTooLarge => Self::HeadTooLarge,
            Refusal::TooSlow => Self::TooSlow,
            Refusal::Connect => Self::MethodNotAllowed {
                method: Method::CONNECT,
                allow: "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE".to_owned(),
            },
        }
    }
}

/// What the stream of a connection and the requests on it tell each other. Requests of one connection are answered one after the
/// other, in the order in which they were sent.
#[derive(Debug, Clone, Default)]
pub struct Connection(Rc<State>);

#[derive(Debug, Default)]
struct State {
    local: Cell<Option<SocketAddr>>,
    /// Heads that were passed on to actix.
    passed: Cell<u64>,
    /// Requests that have reached the application, and those of them that it has answered.
    begun: Cell<u64>,
    answered: Cell<u64>,
    /// Of the request that was passed on last, which then is the connection's last one.
    refusal: Cell<Option<Refusal>>,
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

impl Connection {
    pub(super) fn at(local: Option<SocketAddr>) -> Self {
        let connection = Self::default();
        connection.0.local.set(local);
        connection
    }

    /// The server's own address on this connection.
    pub fn local(&self) -> Option<SocketAddr> {
        self.0.local.get()
    }

    pub(super) fn passed(&self) -> u64 {
        self.0.passed.get()
    }

    pub(super) fn pass(&self) {
        count(&self.0.passed);
    }

    pub(super) fn refuse(&self, refusal: Refusal) {
        self.pass();
        self.0.refusal.set(Some(refusal));
    }

    /// Whether every request that was passed on has its answer.
    pub(super) fn is_answered(&self) -> bool {
        self.0.answered.get() == self.0.passed.get()
    }

    /// The application gets the next request.
    pub fn begin(&self) {
        count(&self.0.begun);
    }

    /// The application has answered it, and reads no more of its body.
    pub fn answer(&self) {
        count(&self.0.answered);
    }

    /// Why the request that has [begun](Self::begin) is to be refused, if it is.
    pub fn refusal(&self) -> Option<Refusal> {
        let is_last = self.0.begun.get() == self.0.passed.get();
        self.0.refusal.get().filter(|_| is_last)
    }
}
