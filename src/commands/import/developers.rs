use std::collections::HashSet;

use super::{
    Importer, Outcome,
    names::Names,
    row::{Given, Row},
};
use crate::{
    db::{self, DbConnection, Stamp},
    models::{Company, Developer, DeveloperDraft, DeveloperSkill, Skill, Stored, User},
    rules,
};

pub struct Developers {
    now: Stamp,
    /// The greatest id before the import: a greater one is new without a look.
    last_id: i64,
    ids: HashSet<i64>,
    companies: Names<Company>,
    skills: Names<Skill>,
    users: Names<User>,
}

/// What a row says of a developer, checked.
struct Said {
    id: Option<i64>,
    name: String,
    company_id: i64,
    years_experience: Given<i32>,
    last_login: Given<Option<Stamp>>,
    user_id: Given<Option<i64>>,
    created_at: Given<Stamp>,
    skills: Given<Vec<i64>>,
}

impl Developers {
    pub fn new(conn: &mut DbConnection, now: Stamp) -> Result<Self, db::Error> {
        let last_id = Developer::last_id(conn)?;
        Ok(Self {
            now,
            last_id,
            ids: HashSet::new(),
            companies: Names::new(),
            skills: Names::new(),
            users: Names::new(),
        })
    }

    fn read(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
    ) -> Result<Option<Said>, db::Error> {
        let id = row.id();
        if id.is_some_and(|id| !self.ids.insert(id)) {
            row.refuse("id", &rules::taken("developer", "id"));
        }
        let name = row.required("name", |text| rules::text(text, Developer::NAME_MAX));
        let company = row.required("company", |text| rules::text(text, Company::NAME_MAX));
        let years_experience = row.optional("years_experience", |text| {
            rules::integer(text, &(0..=Developer::YEARS_MAX))
                .map(|years| i32::try_from(years).unwrap_or(i32::MAX))
        });
        let last_login = row.optional("last_login", |text| rules::stamp(text).map(Some));
        let created_at = row.optional("created_at", rules::stamp);
        let company_id = match company {
            Some(company) => self.companies.one(conn, row, "company", &company)?,
            None => None,
        };
        let skills = self.skills.list(conn, row, "skills", Skill::SEPARATOR)?;
        let user_id = self.user(conn, row, id)?;
        Ok(match (name, company_id, row.is_refused()) {
            (Some(name), Some(company_id), false) => Some(Said {
                id,
                name,
                company_id,
                years_experience,
                last_login,
                user_id,
                created_at,
                skills,
            }),
            _ => None,
        })
    }

    /// The account of the row's developer, which is no other developer's.
    fn user(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
        id: Option<i64>,
    ) -> Result<Given<Option<i64>>, db::Error> {
        let username = row.optional("user", |text| rules::text(text, User::USERNAME_MAX));
        let username = match username {
            Given::Absent => return Ok(Given::Absent),
            Given::Empty => return Ok(Given::Empty),
            Given::Value(username) => username,
        };
        let user_id = self.users.one(conn, row, "user", &username)?;
        if let Some(user_id) = user_id
            && Developer::id_of_user(conn, user_id)?.is_some_and(|other| Some(other) != id)
        {
            row.refuse("user", &rules::taken("developer", "user"));
        }
        Ok(Given::Value(user_id))
    }

    fn add(&self, conn: &mut DbConnection, said: Said) -> Result<Outcome, db::Error> {
        let created_at = said.created_at.or(self.now, self.now);
        let draft = DeveloperDraft {
            name: said.name,
            company_id: said.company_id,
            years_experience: said.years_experience.or(0, 0),
            last_login: said.last_login.or(None, None),
            user_id: said.user_id.or(None, None),
            created_at,
            updated_at: created_at,
        };
        let id = draft.insert(conn, said.id)?;
        DeveloperSkill::link(conn, id, &said.skills.or(Vec::new(), Vec::new()))?;
        Ok(Outcome::Added)
    }

    fn change(
        &self,
        conn: &mut DbConnection,
        id: i64,
        old: &DeveloperDraft,
        said: Said,
    ) -> Result<Outcome, db::Error> {
        let mut draft = DeveloperDraft {
            name: said.name,
            company_id: said.company_id,
            years_experience: said.years_experience.or(old.years_experience, 0),
            last_login: said.last_login.or(old.last_login, None),
            user_id: said.user_id.or(old.user_id, None),
            created_at: said.created_at.or(old.created_at, old.created_at),
            updated_at: old.updated_at,
        };
        let relinked = match said.skills {
            Given::Absent => false,
            skills => DeveloperSkill::replace(conn, id, &skills.or(Vec::new(), Vec::new()))?,
        };
        if draft == *old && !relinked {
            return Ok(Outcome::Unchanged);
        }
        draft.updated_at = self.now;
        draft.update(conn, id)?;
        Ok(Outcome::Changed)
    }
}

impl Importer for Developers {
    fn take(&mut self, conn: &mut DbConnection, row: &mut Row<'_>) -> Result<Outcome, db::Error> {
        let Some(said) = self.read(conn, row)? else {
            return Ok(Outcome::Refused);
        };
        let old = match said.id {
            Some(id) if id <= self.last_id => Developer::find(conn, id)?,
            _ => None,
        };
        match old {
            Some(old) => {
                let id = old.id;
                self.change(conn, id, &DeveloperDraft::from(old), said)
            }
            None => self.add(conn, said),
        }
    }
}
