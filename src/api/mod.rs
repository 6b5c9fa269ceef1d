//! What goes over the wire, and the handlers that put it there.

pub mod companies;
pub mod developers;
mod id;
pub mod root;
pub mod skills;

pub use id::Id;
