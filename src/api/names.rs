use std::collections::HashSet;

use super::Form;
use crate::{
    db::DbConnection,
    models::{Found, ObjectType, Referable, Reference},
    rules,
    text::fold,
};

/// The natural names of a request's forms: which of them are taken, by objects that are there and by forms before.
///
/// It is a courtesy, which tells of a taken name together with what else is wrong. The judge is the database's constraint.
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
    /// # Errors
    /// Those of the statement.
    pub fn load(conn: &mut DbConnection, forms: &[Form]) -> diesel::QueryResult<Self> {
        let names = forms.iter().filter_map(|form| form.text(M::KEY));
        Ok(Self {
            found: Found::load(conn, names.map(Reference::Name))?,
            seen: HashSet::new(),
        })
    }

    /// Takes a name for the form's object; `id` is that of the object to be changed.
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
