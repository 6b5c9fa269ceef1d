//! The database: which engine, how it is opened, and the two doors that everything goes through.

mod connection;
mod doors;
mod error;
mod instrument;
mod migrations;
pub mod schema;
mod stamp;
mod target;
mod writer;

pub use connection::{Access, DbConnection, MultiBackend as Backend};
pub use doors::{Db, readers};
pub use error::Error;
pub use migrations::{Readiness, Status, applied, pending, prepare};
pub use stamp::Stamp;
pub use target::Target;
