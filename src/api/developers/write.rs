//! Making, changing and deleting developers, and their links to skills.

use std::{
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use diesel::QueryResult;

use super::DeveloperBody;
use crate::{
    api::{
        Answer, Body, Changed, CreatedSome, Done, Form, Id, Items, Linked, Patch, Resource, Update,
        Write, form, id,
    },
    auth::{self, Editing, Owned, Staff},
    db::{DbConnection, Stamp},
    error::Error,
    models::{
        Author, Company, Developer, DeveloperDraft, DeveloperSkill, Found, ObjectType, Skill,
        Stored, User,
    },
    openapi::{Describe, Operation},
    query::NoParams,
};

/// Creates a developer, or several from an array: all or none.
///
/// # Errors
/// 400 for invalid fields.
#[utoipa::path(post, path = "/api/developers/")]
pub async fn create_developer(
    Staff(by): Staff,
    write: Write,
    items: Items<Developer>,
) -> Result<Answer<CreatedSome<Developer>>, Error> {
    write.create_some::<Developer>(by, items).await
}

/// Replaces a developer. For staff and for the user whose profile it is.
///
/// # Errors
/// 404 when there is none, 403 when it is another user's, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(put, path = "/api/developers/{id}/")]
pub async fn update_developer(
    editing: Editing<Developer>,
    write: Write,
    body: Body<Update<Developer>>,
) -> Result<Answer<Changed<Developer>>, Error> {
    let by = editing.user.clone();
    write.update(by, body, move |conn| editing.load(conn)).await
}

/// Changes some fields of a developer. For staff and for the user whose profile it is.
///
/// # Errors
/// 404 when there is none, 403 when it is another user's, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(patch, path = "/api/developers/{id}/")]
pub async fn partial_update_developer(
    editing: Editing<Developer>,
    write: Write,
    body: Body<Patch<Developer>>,
) -> Result<Answer<Changed<Developer>>, Error> {
    let by = editing.user.clone();
    write.update(by, body, move |conn| editing.load(conn)).await
}

/// Deletes a developer.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since.
#[utoipa::path(delete, path = "/api/developers/{id}/")]
pub async fn delete_developer(
    _: Staff,
    _: NoParams,
    id: Id<Developer>,
    write: Write,
) -> Result<Answer<Done>, Error> {
    write.delete(move |conn| id.held(conn)).await
}

/// Developers are public. A developer belongs to the user whose account it is.
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
}

impl Resource for Developer {
    const TYPE: ObjectType = ObjectType::Developer;
    type Body = DeveloperBody;
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
        Ok(Referred {
            companies: Form::found(conn, forms, "company")?,
            skills: Form::found(conn, forms, "skills")?,
            users: Form::found(conn, forms, "user")?,
        })
    }

    fn read(
        form: &mut Form,
        (draft, skills): &mut Self::Draft,
        known: &mut Referred,
        by: &auth::User,
        _: Option<i64>,
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
            form.nullable("last_login", &mut draft.last_login, form::Moment);
        }
        form.read_only(&["id", "user", "last_login", "created_at", "updated_at"]);
    }

    fn insert(conn: &mut DbConnection, (draft, _): &Self::Draft) -> QueryResult<i64> {
        draft.insert(conn, None)
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
    ) -> Result<(), Error> {
        let relinked = match skills {
            Some(skills) => DeveloperSkill::replace(conn, id, &skills)?,
            None => false,
        };
        if new != *old || relinked {
            new.updated_at = Stamp::now();
            new.update(conn, id)?;
        }
        Ok(())
    }

    fn delete(conn: &mut DbConnection, id: i64, _: &Author) -> Result<(), Error> {
        Ok(Self::remove(conn, id)?)
    }

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<(i64, DeveloperBody)>> {
        let developers = Self::of_ids(conn, ids)?;
        let developers = Self::with_skills(conn, developers)?;
        Ok(developers
            .into_iter()
            .map(|found| (found.0.id, found.into()))
            .collect())
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

/// Adds a skill to a developer.
///
/// # Errors
/// 404 when there is no such developer or skill, 403 when it is another user's, 412 when it has changed since.
#[utoipa::path(put, path = "/api/developers/{id}/skills/{skill_id}/")]
pub async fn add_developer_skill(
    editing: Editing<Developer>,
    _: NoParams,
    SkillId(skill): SkillId,
    write: Write,
) -> Result<Answer<Linked<Developer>>, Error> {
    let added = Arc::new(AtomicBool::new(false));
    let is_new = added.clone();
    let answer = write
        .change(
            move |conn| editing.load(conn),
            move |conn, developer| {
                let skill: Skill = skill.held(conn)?;
                let id = developer.id;
                if !DeveloperSkill::exists(conn, id, skill.id)? {
                    DeveloperSkill::link(conn, id, &[skill.id])?;
                    Developer::touch(conn, id, Stamp::now())?;
                    is_new.store(true, Ordering::Relaxed);
                }
                Ok(&[])
            },
        )
        .await?;
    Ok(answer.linked(added.load(Ordering::Relaxed)))
}

/// Removes a skill from a developer.
///
/// # Errors
/// 404 when there is no such developer or the developer has no such skill, 403 when it is another user's, 412 when it has changed since.
#[utoipa::path(delete, path = "/api/developers/{id}/skills/{skill_id}/")]
pub async fn remove_developer_skill(
    editing: Editing<Developer>,
    _: NoParams,
    SkillId(skill): SkillId,
    write: Write,
) -> Result<Answer<Done>, Error> {
    write
        .change(
            move |conn| editing.load(conn),
            move |conn, developer: Developer| {
                let id = developer.id;
                let there = DeveloperSkill::exists(conn, id, skill.get())?;
                skill.found(there.then_some(()))?;
                DeveloperSkill::unlink(conn, id, skill.get())?;
                Developer::touch(conn, id, Stamp::now())?;
                Ok(&[])
            },
        )
        .await?;
    Ok(Answer::done())
}
