//! The machinery of lists: filters, order, cursors, pages. It knows no table.

mod cursor;
mod keyset;
mod list;
mod page;
mod params;

pub use cursor::Cursor;
pub use keyset::{Key, Listed, Order, Value};
pub use list::{Filter, Filtered, Frame, List, Scope};
pub use page::{Page, Slice, Window};
pub use params::{NoParams, Params};
