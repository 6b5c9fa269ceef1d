//! What goes over the wire, and the handlers that put it there.

mod answer;
pub mod audit;
mod body;
mod cascade;
pub mod companies;
pub mod developers;
pub mod etag;
mod form;
pub mod health;
mod id;
pub mod me;
mod names;
pub mod projects;
mod resource;
pub mod root;
pub mod skills;
pub mod tokens;
pub mod users;
pub mod write;

pub use self::{
    answer::Answer,
    body::{Body, Items},
    form::Form,
    id::Id,
    names::Names,
    resource::Resource,
    write::Write,
};
