//! What surrounds a handler, one concern a file.

mod accept;

pub use accept::accepts_json;
