//! The document that describes the API, OpenAPI 3.1: made of the handlers' own types, so that it cannot say anything else
//! than they do. Each argument and answer of a handler adds its part to the operation, and the wire structs and forms give
//! the schemas.

mod components;
mod document;
mod operation;
mod properties;
mod responses;
mod yaml;

pub use self::{
    components::Components,
    document::{Document, document},
    operation::{Describe, Op, Operation, Place, Security, op},
    properties::{Properties, by_name},
    yaml::to_yaml,
};
