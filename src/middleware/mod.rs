//! What surrounds a handler, one concern a file.

mod accept;
mod admit;
mod etag;
mod request_id;

pub use accept::accepts_json;
pub use admit::admit;
pub use etag::tagged;
pub use request_id::{name_request, request_id};
