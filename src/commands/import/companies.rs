use std::collections::HashSet;

use super::{Importer, Outcome, row::Row};
use crate::{
    db::{self, DbConnection, Stamp},
    models::{Company, NewCompany},
    rules,
    text::fold,
};

pub struct Companies {
    now: Stamp,
    ids: HashSet<i64>,
    names: HashSet<String>,
}

impl Companies {
    pub fn new(now: Stamp) -> Self {
        Self {
            now,
            ids: HashSet::new(),
            names: HashSet::new(),
        }
    }
}

impl Importer for Companies {
    fn take(&mut self, conn: &mut DbConnection, row: &mut Row<'_>) -> Result<Outcome, db::Error> {
        let id = row.id();
        let name = row.required("name", |text| rules::text(text, Company::NAME_MAX));
        let years = Company::FOUNDED_YEAR_MIN..=i64::from(self.now.year());
        let year = row.required("founded_year", |text| rules::integer(text, &years));
        let created_at = row.optional("created_at", rules::stamp);
        let (Some(name), Some(year), false) = (name, year, row.is_refused()) else {
            return Ok(Outcome::Refused);
        };
        let founded_year = i32::try_from(year).unwrap_or(i32::MAX);

        let named = Company::named(conn, &name)?;
        let old = match id {
            Some(id) => Company::find(conn, id)?,
            None => named.clone(),
        };
        if id.is_some_and(|id| !self.ids.insert(id)) {
            row.refuse("id", "company with this id already exists.");
        }
        let taken = named.is_some_and(|named| id.is_some_and(|id| id != named.id));
        if !self.names.insert(fold(&name)) || taken {
            row.refuse("name", "company with this name already exists.");
        }
        if row.is_refused() {
            return Ok(Outcome::Refused);
        }
        let Some(old) = old else {
            let created_at = created_at.or(self.now, self.now);
            NewCompany::new(id, name, founded_year, created_at).insert(conn)?;
            return Ok(Outcome::Added);
        };
        let created_at = created_at.or(old.created_at, old.created_at);
        let new = Company {
            name,
            founded_year,
            created_at,
            ..old.clone()
        };
        if new == old {
            return Ok(Outcome::Unchanged);
        }
        Company {
            updated_at: self.now,
            ..new
        }
        .update(conn)?;
        Ok(Outcome::Changed)
    }
}
