use std::collections::HashSet;

use super::{
    Importer, Outcome,
    names::Names,
    row::{Given, Row},
};
use crate::{
    db::{self, DbConnection, Stamp},
    models::{Project, ProjectDraft, ProjectSkill, Skill, Stored, User},
    rules,
};

pub struct Projects {
    now: Stamp,
    ids: HashSet<i64>,
    owners: Names<User>,
    skills: Names<Skill>,
}

impl Projects {
    pub fn new(now: Stamp) -> Self {
        Self {
            now,
            ids: HashSet::new(),
            owners: Names::new(),
            skills: Names::new(),
        }
    }
}

impl Importer for Projects {
    fn take(&mut self, conn: &mut DbConnection, row: &mut Row<'_>) -> Result<Outcome, db::Error> {
        let id = row.id();
        if id.is_some_and(|id| !self.ids.insert(id)) {
            row.refuse("id", &rules::taken("project", "id"));
        }
        let owner = row.required("owner", |text| rules::text(text, User::USERNAME_MAX));
        let owner_id = match owner {
            Some(owner) => self.owners.one(conn, row, "owner", &owner)?,
            None => None,
        };
        let name = row.required("name", |text| rules::text(text, Project::NAME_MAX));
        let description = row.optional("description", |text| {
            rules::optional_text(text, Project::DESCRIPTION_MAX)
        });
        let created_at = row.optional("created_at", rules::stamp);
        let skills = self.skills.list(conn, row, "skills", Skill::SEPARATOR)?;
        let (Some(owner_id), Some(name), false) = (owner_id, name, row.is_refused()) else {
            return Ok(Outcome::Refused);
        };
        let old = match id {
            Some(id) => Project::find(conn, id)?.map(|old| (id, ProjectDraft::from(old))),
            None => None,
        };
        let stored = old.as_ref().map_or_else(
            || ProjectDraft::new(owner_id, self.now),
            |(_, draft)| draft.clone(),
        );
        let mut draft = ProjectDraft {
            name,
            description: description.or(stored.description.clone(), String::new()),
            owner_id,
            created_at: created_at.or(stored.created_at, stored.created_at),
            updated_at: stored.updated_at,
        };
        let Some((id, _)) = old else {
            draft.updated_at = draft.created_at;
            let id = draft.insert(conn, id)?;
            ProjectSkill::link(conn, id, &skills.or(Vec::new(), Vec::new()))?;
            return Ok(Outcome::Added);
        };
        let relinked = match skills {
            Given::Absent => false,
            skills => ProjectSkill::replace(conn, id, &skills.or(Vec::new(), Vec::new()))?,
        };
        if draft == stored && !relinked {
            return Ok(Outcome::Unchanged);
        }
        draft.updated_at = self.now;
        draft.update(conn, id)?;
        Ok(Outcome::Changed)
    }
}
