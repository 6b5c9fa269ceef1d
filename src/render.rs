//! Answers as JSON, none of them without end.

use std::io::{self, Write};

use actix_web::{HttpResponse, http::header::ContentType};
use serde::Serialize;

use crate::error::Error;

/// Bytes of an answer at most: what one is built of has bounds of its own, but rows of earlier versions may go beyond them.
const LENGTH_MAX: usize = 32 << 20;

/// An object as JSON.
///
/// # Errors
/// 400 when it would be larger than any answer may be.
pub fn json(object: &impl Serialize) -> Result<String, Error> {
    let mut text = Bounded(Vec::with_capacity(1_024));
    serde_json::to_writer(&mut text, object).map_err(|error| {
        if error.is_io() {
            Error::AnswerTooLarge
        } else {
            Error::internal(&error)
        }
    })?;
    String::from_utf8(text.0).map_err(|error| Error::internal(&error))
}

/// 200 with an object, or the error in its place.
pub fn ok(object: &impl Serialize) -> HttpResponse {
    match json(object) {
        Ok(text) => HttpResponse::Ok()
            .insert_header(ContentType::json())
            .body(text),
        Err(error) => HttpResponse::from_error(error),
    }
}

/// Takes bytes up to the bound.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > LENGTH_MAX - self.0.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_at_its_bound() {
        // Two quotes stand around it.
        let text = "x".repeat(LENGTH_MAX - 2);
        assert_eq!(json(&text).unwrap().len(), LENGTH_MAX);
        assert!(matches!(json(&(text + "x")), Err(Error::AnswerTooLarge)));
    }
}
