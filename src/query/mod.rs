//! The machinery of lists: filters, order, cursors, pages. It knows no table.

mod condition;
mod cursor;
mod expression;
mod field;
mod fields;
mod list;
mod listed;
mod named;
mod order;
mod page;
mod params;
mod search;

pub use condition::{Column, Condition, Select, TwoWays, Where};
pub use cursor::Cursor;
pub use field::{Field, Kind, Linked, Lookup, Relation};
pub use fields::{Detail, Fields, Shape, Shown, alone, describe, shape};
pub use list::{Filter, Filtered, Frame, ITEM, List, Values};
pub use listed::{Listed, Value};
pub use named::{How, Links, Name, Named, Objects};
pub use order::{Order, Seek, Sort, never_first};
pub use page::{Page, Slice, Window};
pub use params::{FORMAT, NoParams, Params};
pub use search::{HasWord, WordIndex};
