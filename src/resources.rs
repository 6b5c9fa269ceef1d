//! The resources of the directory, each once. Routes, `/api/`, the documentation's tags, import and export follow this list.

use crate::{
    api::Resource,
    models::{Company, Developer, Project, Skill, User},
};

/// Something that is done for every resource.
pub trait Visitor {
    fn visit<R: Resource>(&mut self);
}

/// Visits every resource. A file of one may refer to those before it.
pub fn each(visitor: &mut impl Visitor) {
    visitor.visit::<Company>();
    visitor.visit::<Skill>();
    visitor.visit::<User>();
    visitor.visit::<Developer>();
    visitor.visit::<Project>();
}
