//! Conditions on developers, and the scopes made of them.

use std::sync::Arc;

use diesel::prelude::*;

use super::{
    Developer, DeveloperQuery,
    listed::{LINKS, NAMED_SKILLS, SKILLS},
};
use crate::{
    db::{
        Stamp,
        schema::{developer_skills, developers, skills},
    },
    models::Reference,
    query::{Condition, How, Name, Named, Select, TwoWays, Value, never_first},
    text::fold,
};

impl Developer {
    /// Logged in within the [days](Self::ACTIVE_DAYS) before `now`.
    pub fn is_active(now: Stamp) -> Condition {
        let since = Value::Time(now.days_before(Self::ACTIVE_DAYS));
        let check = Condition::Compare(Arc::new(developers::last_login), " >= ", since.clone());
        let last_login = never_first(Arc::new(developers::last_login));
        let recent = Condition::Compare(last_login, " >= ", since);
        let select = Arc::new(Select("SELECT id FROM developers WHERE ", recent));
        Condition::Either(Box::new(TwoWays {
            column: Arc::new(developers::id),
            selects: vec![select],
            check,
        }))
    }

    /// Not [active](Self::is_active): a login long ago, or none.
    pub fn is_inactive(now: Stamp) -> Condition {
        let since = Value::Time(now.days_before(Self::ACTIVE_DAYS));
        Condition::Any(vec![
            Condition::Null(Arc::new(developers::last_login)),
            Condition::Compare(Arc::new(developers::last_login), " < ", since),
        ])
    }

    /// With [that many years](Self::SENIOR_YEARS) of experience or more.
    pub fn is_senior() -> Condition {
        // Adding 0 keeps SQLite from the index of the years: most developers are senior, so a walk in the list's order is faster.
        let years = Arc::new(developers::years_experience + 0);
        Condition::Compare(years, " >= ", Value::Int(Self::SENIOR_YEARS))
    }

    /// Has the skill.
    pub fn has(skill: Reference) -> Condition {
        match skill {
            Reference::Id(id) => {
                let skill_id = Arc::new(developer_skills::skill_id);
                Condition::related(LINKS, Condition::Compare(skill_id, " = ", Value::Int(id)))
            }
            Reference::Name(name) => {
                let key = Value::Text(fold(&name));
                let is_called = Condition::Compare(Arc::new(skills::name_key), " = ", key);
                Condition::related(SKILLS, is_called)
            }
        }
    }

    /// Has all of the skills.
    pub fn has_all(names: Vec<Name>) -> Condition {
        let how = How::All(&NAMED_SKILLS);
        Condition::Named(Named { names, how })
    }

    /// Has `count` of the skills or more.
    pub fn has_at_least(count: usize, names: Vec<Name>) -> Condition {
        let how = How::AtLeast(count, &NAMED_SKILLS);
        Condition::Named(Named { names, how })
    }

    /// Has none of the skills.
    pub fn has_none(names: Vec<Name>) -> Condition {
        let how = How::None(&NAMED_SKILLS);
        Condition::Named(Named { names, how })
    }
}

/// Named conditions, to be chained in any combination and order.
pub trait DeveloperScopes: Sized {
    /// See [`Developer::is_active`].
    fn active(self, now: Stamp) -> Self;
    /// See [`Developer::is_inactive`].
    fn inactive(self, now: Stamp) -> Self;
    /// See [`Developer::is_senior`].
    fn senior(self) -> Self;
    /// Not a [`senior`](Self::senior).
    fn junior(self) -> Self;
    /// Has the skill of that name, in any letter case.
    fn by_skill(self, name: &str) -> Self;
    /// Has the skill of that id.
    fn with_skill(self, id: i64) -> Self;
    /// Works for the company of that id.
    fn of_company(self, id: i64) -> Self;
}

impl DeveloperScopes for DeveloperQuery {
    fn active(self, now: Stamp) -> Self {
        self.filter(Developer::is_active(now).of())
    }

    fn inactive(self, now: Stamp) -> Self {
        self.filter(Developer::is_inactive(now).of())
    }

    fn senior(self) -> Self {
        self.filter(Developer::is_senior().of())
    }

    fn junior(self) -> Self {
        self.filter(Developer::is_senior().negated().of())
    }

    fn by_skill(self, name: &str) -> Self {
        self.filter(Developer::has(Reference::Name(name.to_owned())).of())
    }

    fn with_skill(self, id: i64) -> Self {
        self.filter(Developer::has(Reference::Id(id)).of())
    }

    fn of_company(self, id: i64) -> Self {
        self.filter(developers::company_id.eq(id))
    }
}
