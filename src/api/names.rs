use std::collections::HashSet;

use super::Form;
use crate::{
    db::DbConnection,
    models::{Found, ObjectType, Referable, Reference},
    rules,
    text::fold,
};

/// The natural names in a request's forms, to find those that are taken by stored objects or by earlier forms.
///
/// This check reports a taken name together with the other errors. The UNIQUE constraint decides races.
pub struct Names<M> {
    found: Found<M>,
    seen: HashSet<String>,
}

impl<M> Default for Names<M> {
    fn default() -> Self {
        Self {
            found: Found::default(),
            seen: HashSet::new(),
        }
    }
}

impl<M: Referable> Names<M> {
    pub fn load(conn: &mut DbConnection, forms: &[Form]) -> diesel::QueryResult<Self> {
        let names = forms
            .iter()
            .filter_map(|form| form.text(M::KEY, M::KEY_MAX));
        Ok(Self {
            found: Found::load(conn, names.map(Reference::Name))?,
            seen: HashSet::new(),
        })
    }

    /// Claims a name for the form's object, or records the error. `id` is that of the object to change, which may keep its name.
    pub fn take(&mut self, form: &mut Form, name: &str, id: Option<i64>, object: ObjectType) {
        if form.is_refused(M::KEY) {
            return;
        }
        let other = self.found.id(&Reference::Name(name.to_owned()));
        let taken = other.is_ok_and(|other| Some(other) != id);
        if taken || !self.seen.insert(fold(name)) {
            form.refuse(M::KEY, &rules::taken(object.name(), M::KEY));
        }
    }
}
