//! The layer between the socket and actix, for what actix leaves no other hook.
//!
//! [`Wire`] is the stream that actix reads requests from and writes answers to. It follows the framing of requests (RFC 9112), and
//! everything that needs no change passes through byte for byte. Beside that it
//!
//! - takes a request line that is not ASCII as UTF-8, and percent-encodes it;
//! - leaves out offers to upgrade the connection, which actix would answer by closing it;
//! - refuses what actix would answer with a bare 400, 408 or 431, and whatever could be framed in two ways. In the place of
//!   such a request actix gets a [stand-in](head::stand_in), which passes through all the middleware like any request and is answered there with the
//!   [`Refusal`]: so it is counted, logged and measured, and its answer is JSON with a request id;
//! - bounds what is read of a body that nobody wants any more, in bytes and in time;
//! - drops a client that takes nothing of its answer for too long.
//!
//! Nothing of it keeps bytes back: a head is held until it is whole, a line of a chunked body until it is, and the rest passes at once.

mod chunked;
mod connection;
mod framing;
mod head;
mod stream;

use actix_web::HttpRequest;

pub use connection::{Connection, Refusal};
pub use stream::{Timeouts, Wire};

/// Why a request is to be refused that is none, if it is.
pub fn refusal(request: &HttpRequest) -> Option<Refusal> {
    request
        .conn_data::<Connection>()
        .and_then(Connection::refusal)
}
