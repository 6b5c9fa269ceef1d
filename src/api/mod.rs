//! What goes over the wire, and the handlers that put it there.

mod answer;
mod body;
pub mod companies;
pub mod developers;
mod form;
mod id;
pub mod me;
pub mod projects;
pub mod root;
pub mod skills;
pub mod tokens;
pub mod users;

pub use self::{
    answer::{Created, NoContent},
    body::Body,
    form::Form,
    id::Id,
};
