//! Wire structs and handlers, one file for each resource.

mod answer;
pub mod audit;
mod body;
mod cascade;
pub mod companies;
pub mod developers;
pub mod docs;
pub mod etag;
mod form;
pub mod health;
mod id;
mod input;
pub mod me;
mod names;
pub mod projects;
pub mod reading;
mod resource;
pub mod root;
pub mod schema;
pub mod skills;
pub mod tokens;
mod transaction;
pub mod users;
pub mod write;
pub mod writing;

pub use self::{
    answer::{Answer, Changed, Created, CreatedSome, Done, Linked},
    body::{Body, Items},
    form::Form,
    id::Id,
    input::{Create, Input, Patch, Update},
    names::Names,
    reading::Readable,
    resource::{About, Resource},
    transaction::Transaction,
    write::Write,
};
