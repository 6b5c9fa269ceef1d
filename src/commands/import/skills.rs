use std::collections::HashSet;

use super::{Importer, Outcome, row::Row};
use crate::{
    db::{self, DbConnection},
    models::{NewSkill, Skill},
    rules,
    text::fold,
};

#[derive(Default)]
pub struct Skills {
    ids: HashSet<i64>,
    names: HashSet<String>,
}

impl Importer for Skills {
    fn take(&mut self, conn: &mut DbConnection, row: &mut Row<'_>) -> Result<Outcome, db::Error> {
        let id = row.id();
        let name = row.required("name", Skill::check_name);
        let category = row.required("category", |text| rules::text(text, Skill::CATEGORY_MAX));
        let (Some(name), Some(category), false) = (name, category, row.is_refused()) else {
            return Ok(Outcome::Refused);
        };

        let named = Skill::named(conn, &name)?;
        let old = match id {
            Some(id) => Skill::find(conn, id)?,
            None => named.clone(),
        };
        if id.is_some_and(|id| !self.ids.insert(id)) {
            row.refuse("id", "skill with this id already exists.");
        }
        let taken = named.is_some_and(|named| id.is_some_and(|id| id != named.id));
        if !self.names.insert(fold(&name)) || taken {
            row.refuse("name", "skill with this name already exists.");
        }
        if row.is_refused() {
            return Ok(Outcome::Refused);
        }
        let Some(old) = old else {
            NewSkill::new(id, name, category).insert(conn)?;
            return Ok(Outcome::Added);
        };
        let new = Skill {
            name,
            category,
            ..old.clone()
        };
        if new == old {
            return Ok(Outcome::Unchanged);
        }
        new.update(conn)?;
        Ok(Outcome::Changed)
    }
}
