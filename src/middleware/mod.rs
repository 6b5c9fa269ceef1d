//! What surrounds a handler, one concern a file.

mod accept;
mod admit;

pub use accept::accepts_json;
pub use admit::admit;
