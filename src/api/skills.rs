use actix_web::web::Data;
use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Body, Changed, CreatedSome, Done, Form, Id, Items, Names, Patch, Resource, Update,
    Write, cascade, form,
};
use crate::{
    auth::{self, Anyone, Staff},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{
        Author, Developer, DeveloperSkill, ObjectType, Project, ProjectSkill, Skill, SkillDraft,
        Stored,
    },
    query::{Detail, Filter, Filtered, List, NoParams, Page, Shape, Shown},
};

/// A skill as the API shows it.
///
/// ```json
/// {"id": 3, "name": "Rust", "category": "programming"}
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Skill)]
pub struct SkillBody {
    pub id: i64,
    pub name: String,
    pub category: String,
}

impl From<Skill> for SkillBody {
    fn from(skill: Skill) -> Self {
        let Skill { id, name, category } = skill;
        Self { id, name, category }
    }
}

impl Filtered for Skill {
    const FILTERS: &'static [Filter] = &[];
    const SHAPE: Shape = &[("id", &[]), ("name", &[]), ("category", &[])];
}

/// Skills, by name.
///
/// # Errors
/// 400 for an unknown or invalid parameter, 404 for an invalid cursor.
#[utoipa::path(get, path = "/api/skills/")]
pub async fn list_skills(
    _: Anyone,
    db: Data<Db>,
    list: List<Skill>,
) -> Result<Page<Shown<SkillBody>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, Skill::all())).await?;
    Ok(frame.page(slice))
}

/// One skill.
///
/// # Errors
/// 400 for an unknown field, 404 when there is none.
#[utoipa::path(get, path = "/api/skills/{id}/")]
pub async fn get_skill(
    _: Anyone,
    db: Data<Db>,
    id: Id<Skill>,
    detail: Detail<Skill>,
) -> Result<Shown<SkillBody>, Error> {
    let skill = db
        .read(move |conn| id.found(Skill::find(conn, id.get())?))
        .await?;
    Ok(detail.fields.show(skill.into()))
}

/// Creates a skill, or several from an array: all or none.
///
/// # Errors
/// 400 for invalid fields.
#[utoipa::path(post, path = "/api/skills/")]
pub async fn create_skill(
    Staff(by): Staff,
    write: Write,
    items: Items<Skill>,
) -> Result<Answer<CreatedSome<Skill>>, Error> {
    write.create_some::<Skill>(by, items).await
}

/// Replaces a skill.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(put, path = "/api/skills/{id}/")]
pub async fn update_skill(
    Staff(by): Staff,
    id: Id<Skill>,
    write: Write,
    body: Body<Update<Skill>>,
) -> Result<Answer<Changed<Skill>>, Error> {
    write.update(by, body, move |conn| id.held(conn)).await
}

/// Changes some fields of a skill.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(patch, path = "/api/skills/{id}/")]
pub async fn partial_update_skill(
    Staff(by): Staff,
    id: Id<Skill>,
    write: Write,
    body: Body<Patch<Skill>>,
) -> Result<Answer<Changed<Skill>>, Error> {
    write.update(by, body, move |conn| id.held(conn)).await
}

/// Deletes a skill and removes it from developers and projects.
///
/// # Errors
/// 404 when there is none, 412 when it has changed since.
#[utoipa::path(delete, path = "/api/skills/{id}/")]
pub async fn delete_skill(
    _: Staff,
    _: NoParams,
    id: Id<Skill>,
    write: Write,
) -> Result<Answer<Done>, Error> {
    write.delete(move |conn| id.held(conn)).await
}

impl Resource for Skill {
    const TYPE: ObjectType = ObjectType::Skill;
    type Body = SkillBody;
    type Draft = SkillDraft;
    type Known = Names<Self>;

    fn blank(_: &auth::User, _: Stamp) -> SkillDraft {
        SkillDraft::default()
    }

    fn draft(self) -> SkillDraft {
        self.into()
    }

    fn known(conn: &mut DbConnection, forms: &[Form]) -> QueryResult<Names<Self>> {
        Names::load(conn, forms)
    }

    fn read(
        form: &mut Form,
        draft: &mut SkillDraft,
        names: &mut Names<Self>,
        _: &auth::User,
        id: Option<i64>,
    ) {
        form.required(
            "name",
            &mut draft.name,
            form::text_by(Self::NAME_MAX, Self::check_name),
        );
        form.required(
            "category",
            &mut draft.category,
            form::text(Self::CATEGORY_MAX),
        );
        form.read_only(&["id"]);
        names.take(form, &draft.name, id, Self::TYPE);
    }

    fn insert(conn: &mut DbConnection, draft: &SkillDraft) -> QueryResult<i64> {
        draft.insert(conn, None)
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &SkillDraft,
        new: SkillDraft,
    ) -> Result<(), Error> {
        if new != *old {
            new.update(conn, id)?;
        }
        Ok(())
    }

    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error> {
        let developers = DeveloperSkill::owners(conn, id)?;
        cascade::unlinked::<Developer>(conn, author, &developers, id)?;
        let projects = ProjectSkill::owners(conn, id)?;
        cascade::unlinked::<Project>(conn, author, &projects, id)?;
        Ok(Self::remove(conn, id)?)
    }

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<(i64, SkillBody)>> {
        let skills = Self::of_ids(conn, ids)?;
        Ok(skills
            .into_iter()
            .map(|skill| (skill.id, skill.into()))
            .collect())
    }
}
