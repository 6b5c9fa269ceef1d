use std::collections::HashSet;

use super::{Importer, Outcome, row::Row};
use crate::{
    db::{self, DbConnection},
    models::{Skill, SkillDraft, Stored},
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
            row.refuse("id", &rules::taken("skill", "id"));
        }
        let taken = named.is_some_and(|named| id.is_some_and(|id| id != named.id));
        if !self.names.insert(fold(&name)) || taken {
            row.refuse("name", &rules::taken("skill", "name"));
        }
        if row.is_refused() {
            return Ok(Outcome::Refused);
        }
        let draft = SkillDraft { name, category };
        let Some(old) = old else {
            draft.insert(conn, id)?;
            return Ok(Outcome::Added);
        };
        let (id, stored) = (old.id, SkillDraft::from(old));
        if draft == stored {
            return Ok(Outcome::Unchanged);
        }
        draft.update(conn, id)?;
        Ok(Outcome::Changed)
    }
}
