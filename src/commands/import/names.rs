use std::{collections::HashMap, marker::PhantomData};

use super::row::{Given, Row};
use crate::{
    db::{self, DbConnection},
    models::{Found, Referable, Reference},
    rules,
};

/// Objects that rows refer to by name, each looked up once.
pub struct Names<M> {
    known: HashMap<String, Result<i64, String>>,
    model: PhantomData<fn(M)>,
}

impl<M: Referable> Names<M> {
    pub fn new() -> Self {
        Self {
            known: HashMap::new(),
            model: PhantomData,
        }
    }

    /// The id of the object of that name; one that is not there is said against the row.
    pub fn one(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
        column: &str,
        name: &str,
    ) -> Result<Option<i64>, db::Error> {
        if let Err(message) = rules::within(name, M::KEY_MAX) {
            row.refuse(column, &message);
            return Ok(None);
        }
        if !self.known.contains_key(name) {
            let reference = Reference::Name(name.to_owned());
            let found = Found::<M>::load(conn, [reference.clone()])?.id(&reference);
            self.known.insert(name.to_owned(), found);
        }
        Ok(match self.known.get(name) {
            Some(Ok(id)) => Some(*id),
            Some(Err(message)) => {
                row.refuse(column, message);
                None
            }
            None => None,
        })
    }

    /// The ids of a list of names, sorted and distinct.
    pub fn list(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
        column: &str,
        separator: char,
    ) -> Result<Given<Vec<i64>>, db::Error> {
        let names = match row.list(column, separator) {
            Given::Absent => return Ok(Given::Absent),
            Given::Empty => return Ok(Given::Empty),
            Given::Value(names) => names,
        };
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            ids.extend(self.one(conn, row, column, &name)?);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Given::Value(ids))
    }
}
