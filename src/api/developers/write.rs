//! Making, changing and deleting developers, and their links to skills.

use std::{
    collections::HashMap,
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use diesel::QueryResult;

use crate::{
    api::{About, Answer, Done, Form, Id, Linked, Resource, Write, form, id},
    auth::{self, Editing, Managing, Owned, Staff},
    db::{DbConnection, Stamp},
    error::Error,
    files::{Column, list, needed, optional},
    models::{
        Author, Company, Developer, DeveloperDraft, DeveloperSkill, Found, ObjectType, Skill,
        Stored, User,
    },
    openapi::{Describe, Operation},
    query::NoParams,
    rules,
};

/// Everybody sees developers; one belongs to the user who is linked to it.
impl Owned for Developer {
    const PUBLIC: bool = true;

    fn owner(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.id)
    }
}

/// The objects that developers' forms refer to.
#[derive(Default)]
pub struct Referred {
    companies: Found<Company>,
    skills: Found<Skill>,
    users: Found<User>,
    /// The developers of these users.
    profiles: HashMap<i64, i64>,
}

impl Referred {
    /// Refuses a user who is another developer already, or by a form before.
    fn claim(&mut self, form: &mut Form, user: Option<i64>, id: Option<i64>) {
        /// A developer that has no id yet.
        const NEW: i64 = 0;
        let Some(user) = user else {
            return;
        };
        let mine = id.unwrap_or(NEW);
        match self.profiles.insert(user, mine) {
            Some(other) if other != mine || other == NEW => {
                form.refuse("user", &rules::taken(Developer::TYPE.name(), "user"));
            }
            _ => {}
        }
    }
}

impl Resource for Developer {
    const TYPE: ObjectType = ObjectType::Developer;
    const ABOUT: About = About {
        many: "developers",
        one: "a developer",
        tag: "Developers, each of one company and with skills.",
        list: "Developers, newest first, each with company and skills.",
        create: "",
        editors: " For staff and for the user whose profile it is.",
        delete: "Deletes a developer.",
    };
    const BULK: bool = true;
    const COLUMNS: &'static [Column] = &[
        optional("id"),
        needed("name"),
        needed("company"),
        optional("years_experience"),
        optional("last_login"),
        optional("created_at"),
        list("skills"),
        optional("user"),
    ];
    type Creator = Staff;
    type Editor = Editing<Self>;
    type Remover = Managing<Self>;
    /// The row, and the skills when the form names them.
    type Draft = (DeveloperDraft, Option<Vec<i64>>);
    type Known = Referred;

    fn blank(_: &auth::User, now: Stamp) -> Self::Draft {
        (DeveloperDraft::new(now), None)
    }

    fn draft(self) -> Self::Draft {
        (self.into(), None)
    }

    fn known(conn: &mut DbConnection, forms: &[Form]) -> QueryResult<Referred> {
        let users: Found<User> = Form::found(conn, forms, "user")?;
        Ok(Referred {
            companies: Form::found(conn, forms, "company")?,
            skills: Form::found(conn, forms, "skills")?,
            profiles: Developer::ids_of_users(conn, &users.all())?,
            users,
        })
    }

    fn read(
        form: &mut Form,
        (draft, skills): &mut Self::Draft,
        known: &mut Referred,
        by: &auth::User,
        id: Option<i64>,
    ) {
        form.required("name", &mut draft.name, form::text(Self::NAME_MAX));
        form.required(
            "company",
            &mut draft.company_id,
            form::reference_to(&known.companies),
        );
        form.references("skills", skills, &known.skills);
        form.optional(
            "years_experience",
            &mut draft.years_experience,
            0,
            form::integer(0..=Self::YEARS_MAX),
        );
        if by.is_staff {
            form.nullable("user", &mut draft.user_id, form::reference_to(&known.users));
            known.claim(form, draft.user_id, id);
            form.nullable("last_login", &mut draft.last_login, form::Moment);
        }
        if form.is_of_file() {
            form.kept("created_at", &mut draft.created_at, form::Moment);
        }
        if id.is_none() {
            draft.updated_at = draft.created_at;
        }
        form.read_only(&["id", "user", "last_login", "created_at", "updated_at"]);
    }

    fn insert(
        conn: &mut DbConnection,
        id: Option<i64>,
        (draft, _): &Self::Draft,
    ) -> QueryResult<i64> {
        draft.insert(conn, id)
    }

    fn link(conn: &mut DbConnection, ids: &[i64], drafts: &[Self::Draft]) -> QueryResult<()> {
        let skills = drafts.iter().map(|(_, skills)| skills.as_deref());
        DeveloperSkill::link_each(conn, ids, skills.map(Option::unwrap_or_default))
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        (old, _): &Self::Draft,
        (mut new, skills): Self::Draft,
    ) -> QueryResult<bool> {
        let relinked = match skills {
            Some(skills) => DeveloperSkill::replace(conn, id, &skills)?,
            None => false,
        };
        let changed = new != *old || relinked;
        if changed {
            new.updated_at = Stamp::now();
            new.update(conn, id)?;
        }
        Ok(changed)
    }

    fn delete(conn: &mut DbConnection, id: i64, _: &Author) -> Result<(), Error> {
        Ok(Self::remove(conn, id)?)
    }
}

/// Extractor for the `{skill_id}` of a path.
pub struct SkillId(Id<Skill>);

impl Describe for SkillId {
    fn describe(operation: &mut Operation) {
        id::describe::<Skill>(operation, "skill_id");
    }
}

impl FromRequest for SkillId {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Id::named(request, "skill_id").map(Self))
    }
}

pub async fn add_developer_skill(
    editing: Editing<Developer>,
    _: NoParams,
    SkillId(skill): SkillId,
    write: Write,
) -> Result<Answer<Linked<Developer>>, Error> {
    let added = Arc::new(AtomicBool::new(false));
    let is_new = added.clone();
    let answer = write
        .change(editing, move |conn, _, developer| {
            let skill: Skill = skill.held(conn)?;
            let id = developer.id;
            if !DeveloperSkill::exists(conn, id, skill.id)? {
                DeveloperSkill::link(conn, id, &[skill.id])?;
                Developer::touch(conn, id, Stamp::now())?;
                is_new.store(true, Ordering::Relaxed);
            }
            Ok(&[])
        })
        .await?;
    Ok(answer.linked(added.load(Ordering::Relaxed)))
}

pub async fn remove_developer_skill(
    editing: Editing<Developer>,
    _: NoParams,
    SkillId(skill): SkillId,
    write: Write,
) -> Result<Answer<Done>, Error> {
    write
        .change(editing, move |conn, _, developer: Developer| {
            let id = developer.id;
            let there = DeveloperSkill::exists(conn, id, skill.get())?;
            skill.found(there.then_some(()))?;
            DeveloperSkill::unlink(conn, id, skill.get())?;
            Developer::touch(conn, id, Stamp::now())?;
            Ok(&[])
        })
        .await?;
    Ok(Answer::done())
}
