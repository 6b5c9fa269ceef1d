//! References to objects in bodies, by id or by name, and the lookup of their ids.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    marker::PhantomData,
};

use diesel::prelude::*;

use super::{Company, Skill, User, one_of::OneOf};
use crate::{
    db::{
        DbConnection,
        schema::{companies, skills, users},
    },
    query::Listed,
    text::fold,
};

/// A reference to an object, as a client writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    Id(i64),
    /// Its natural name, in any letter case.
    Name(String),
}

/// A model that references can name.
pub trait Referable: Listed {
    /// The field that holds the natural name.
    const KEY: &'static str;
    /// Characters of a natural name at most.
    const KEY_MAX: usize;

    /// Those of the ids that exist.
    fn with_ids(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<i64>>;

    /// Those of the folded names that exist, each with its id.
    fn with_names(conn: &mut DbConnection, names: &[String]) -> QueryResult<Vec<(String, i64)>>;
}

macro_rules! referable {
    ($model:ty, $table:ident, $key:ident, $name:literal, $max:expr) => {
        impl Referable for $model {
            const KEY: &'static str = $name;
            const KEY_MAX: usize = $max;

            fn with_ids(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<i64>> {
                $table::table
                    .filter(OneOf::ids($table::id, ids))
                    .select($table::id)
                    .load(conn)
            }

            fn with_names(
                conn: &mut DbConnection,
                names: &[String],
            ) -> QueryResult<Vec<(String, i64)>> {
                $table::table
                    .filter(OneOf::texts($table::$key, names))
                    .select(($table::$key, $table::id))
                    .load(conn)
            }
        }
    };
}

referable!(Company, companies, name_key, "name", Company::NAME_MAX);
referable!(Skill, skills, name_key, "name", Skill::NAME_MAX);
referable!(User, users, username_key, "username", User::USERNAME_MAX);

/// The ids of referenced objects of one model.
#[derive(Debug)]
pub struct Found<M> {
    ids: HashSet<i64>,
    names: HashMap<String, i64>,
    model: PhantomData<fn(M)>,
}

impl<M> Default for Found<M> {
    fn default() -> Self {
        Self {
            ids: HashSet::new(),
            names: HashMap::new(),
            model: PhantomData,
        }
    }
}

impl<M: Referable> Found<M> {
    /// Looks up all references, in two statements at most.
    pub fn load(
        conn: &mut DbConnection,
        references: impl IntoIterator<Item = Reference>,
    ) -> QueryResult<Self> {
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        for reference in references {
            match reference {
                Reference::Id(id) => ids.insert(id),
                Reference::Name(name) => names.insert(fold(&name)),
            };
        }
        let ids: Vec<i64> = ids.into_iter().collect();
        let names: Vec<String> = names.into_iter().collect();
        let mut found = Self::default();
        if !ids.is_empty() {
            found.ids.extend(M::with_ids(conn, &ids)?);
        }
        if !names.is_empty() {
            found.names.extend(M::with_names(conn, &names)?);
        }
        Ok(found)
    }

    /// The ids of all that were found.
    pub fn all(&self) -> Vec<i64> {
        self.ids
            .iter()
            .chain(self.names.values())
            .copied()
            .collect()
    }

    /// The id of the referenced object.
    ///
    /// # Errors
    /// DRF's message for an object that does not exist.
    pub fn id(&self, reference: &Reference) -> Result<i64, String> {
        match reference {
            Reference::Id(id) => self.ids.get(id).copied().ok_or_else(|| no_such_id(id)),
            Reference::Name(name) => self
                .names
                .get(&fold(name))
                .copied()
                .ok_or_else(|| format!("Object with {}={name} does not exist.", M::KEY)),
        }
    }
}

/// DRF's message for an id that no object has.
pub fn no_such_id(id: impl fmt::Display) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}
