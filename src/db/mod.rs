//! The database: which engine, how it is opened, and the two doors that everything goes through.

mod connection;
mod door;
mod doors;
mod error;
mod files;
mod gate;
mod instrument;
mod integrity;
mod interrupt;
mod measures;
mod migrations;
mod pool;
mod reader;
mod reading;
pub mod schema;
mod search;
mod stamp;
mod standing;
mod state;
mod target;
mod writer;

pub use connection::{Access, DbConnection, MultiBackend as Backend};
pub use doors::{Db, Patience};
pub use error::Error;
pub use instrument::Tally;
pub use measures::Measures;
pub use migrations::{Readiness, Status, applied, is_new, pending, prepare};
pub use pool::readers;
pub use reader::Reader;
pub use stamp::Stamp;
pub use state::Size;
pub use target::Target;
