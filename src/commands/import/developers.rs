use std::collections::{HashMap, HashSet};

use super::{
    Importer, Outcome,
    row::{Given, Row},
};
use crate::{
    db::{self, DbConnection, Stamp},
    models::{Company, Developer, DeveloperSkill, NewDeveloper, Skill},
    rules,
};

pub struct Developers {
    now: Stamp,
    /// The greatest id before the import: a greater one is new without a look.
    last_id: i64,
    ids: HashSet<i64>,
    /// What names were found to be, so that each is looked up once.
    companies: HashMap<String, Option<i64>>,
    skills: HashMap<String, Option<i64>>,
}

/// What a row says of a developer, checked.
struct Said {
    id: Option<i64>,
    name: String,
    company_id: i64,
    years_experience: Given<i32>,
    last_login: Given<Option<Stamp>>,
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
            companies: HashMap::new(),
            skills: HashMap::new(),
        })
    }

    fn read(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
    ) -> Result<Option<Said>, db::Error> {
        let id = row.id();
        if id.is_some_and(|id| !self.ids.insert(id)) {
            row.refuse("id", "developer with this id already exists.");
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
            Some(company) => self.company(conn, row, company)?,
            None => None,
        };
        let skills = self.skills(conn, row)?;
        if row.has("user") {
            // There are no accounts yet that it could name.
            let _: Option<()> = row.required("user", |user| {
                Err(format!("Object with username={user} does not exist."))
            });
        }
        Ok(match (name, company_id, row.is_refused()) {
            (Some(name), Some(company_id), false) => Some(Said {
                id,
                name,
                company_id,
                years_experience,
                last_login,
                created_at,
                skills,
            }),
            _ => None,
        })
    }

    fn company(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
        name: String,
    ) -> Result<Option<i64>, db::Error> {
        let id = match self.companies.get(&name) {
            Some(id) => *id,
            None => Company::named(conn, &name)?.map(|company| company.id),
        };
        if id.is_none() {
            row.refuse(
                "company",
                &format!("Object with name={name} does not exist."),
            );
        }
        self.companies.entry(name).or_insert(id);
        Ok(id)
    }

    fn skills(
        &mut self,
        conn: &mut DbConnection,
        row: &mut Row<'_>,
    ) -> Result<Given<Vec<i64>>, db::Error> {
        let names = match row.list("skills", Skill::SEPARATOR) {
            Given::Absent => return Ok(Given::Absent),
            Given::Empty => return Ok(Given::Empty),
            Given::Value(names) => names,
        };
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let id = match self.skills.get(&name) {
                Some(id) => *id,
                None => Skill::named(conn, &name)?.map(|skill| skill.id),
            };
            match id {
                Some(id) => ids.push(id),
                None => row.refuse(
                    "skills",
                    &format!("Object with name={name} does not exist."),
                ),
            }
            self.skills.entry(name).or_insert(id);
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Given::Value(ids))
    }

    fn add(&self, conn: &mut DbConnection, said: Said) -> Result<Outcome, db::Error> {
        let created_at = said.created_at.or(self.now, self.now);
        let new = NewDeveloper {
            id: said.id,
            name: said.name,
            company_id: said.company_id,
            years_experience: said.years_experience.or(0, 0),
            last_login: said.last_login.or(None, None),
            created_at,
            updated_at: created_at,
        };
        let id = new.insert(conn)?;
        DeveloperSkill::link(conn, id, &said.skills.or(Vec::new(), Vec::new()))?;
        Ok(Outcome::Added)
    }

    fn change(
        &self,
        conn: &mut DbConnection,
        old: &Developer,
        said: Said,
    ) -> Result<Outcome, db::Error> {
        let mut new = old.clone();
        new.name = said.name;
        new.company.id = said.company_id;
        new.years_experience = said.years_experience.or(old.years_experience, 0);
        new.last_login = said.last_login.or(old.last_login, None);
        new.created_at = said.created_at.or(old.created_at, old.created_at);
        let relinked = match said.skills {
            Given::Absent => false,
            skills => DeveloperSkill::replace(conn, old.id, &skills.or(Vec::new(), Vec::new()))?,
        };
        if new == *old && !relinked {
            return Ok(Outcome::Unchanged);
        }
        new.updated_at = self.now;
        new.update(conn)?;
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
            Some(old) => self.change(conn, &old, said),
            None => self.add(conn, said),
        }
    }
}
