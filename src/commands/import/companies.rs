use std::collections::HashSet;

use super::{Importer, Outcome, row::Row};
use crate::{
    db::{self, DbConnection, Stamp},
    models::{Company, CompanyDraft, Stored},
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
            row.refuse("id", &rules::taken("company", "id"));
        }
        let taken = named.is_some_and(|named| id.is_some_and(|id| id != named.id));
        if !self.names.insert(fold(&name)) || taken {
            row.refuse("name", &rules::taken("company", "name"));
        }
        if row.is_refused() {
            return Ok(Outcome::Refused);
        }
        let Some(old) = old else {
            let created_at = created_at.or(self.now, self.now);
            let draft = CompanyDraft {
                name,
                founded_year,
                created_at,
                updated_at: created_at,
            };
            draft.insert(conn, id)?;
            return Ok(Outcome::Added);
        };
        let (id, stored) = (old.id, CompanyDraft::from(old));
        let mut draft = CompanyDraft {
            name,
            founded_year,
            created_at: created_at.or(stored.created_at, stored.created_at),
            updated_at: stored.updated_at,
        };
        if draft == stored {
            return Ok(Outcome::Unchanged);
        }
        draft.updated_at = self.now;
        draft.update(conn, id)?;
        Ok(Outcome::Changed)
    }
}
