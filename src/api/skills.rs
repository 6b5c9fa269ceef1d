use actix_web::web::{Data, Json};
use serde::Serialize;

use super::{Body, Created, Form, Id, NoContent, form};
use crate::{
    auth::{Anyone, Staff},
    db::{Db, DbConnection},
    error::Error,
    models::{Skill, SkillDraft},
    query::{Detail, Filter, Filtered, List, Listed, NoParams, Page, Shape, Shown},
    rules,
};

/// A skill as the API shows it.
#[derive(Debug, Serialize)]
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

/// `GET /api/skills/`: by name.
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
pub async fn list_skills(
    _: Anyone,
    db: Data<Db>,
    list: List<Skill>,
) -> Result<Json<Page<Shown<SkillBody>>>, Error> {
    let (slice, frame) = db.read(move |conn| list.load(conn, Skill::all())).await?;
    Ok(Json(frame.page(slice)))
}

/// `GET /api/skills/{id}/`
///
/// # Errors
/// 400 for a field that it does not have, 404 when there is none.
pub async fn get_skill(
    _: Anyone,
    db: Data<Db>,
    id: Id<Skill>,
    detail: Detail<Skill>,
) -> Result<Json<Shown<SkillBody>>, Error> {
    let skill = db
        .read(move |conn| id.found(Skill::find(conn, id.get())?))
        .await?;
    Ok(Json(detail.fields.show(skill.into())))
}

/// `POST /api/skills/`
///
/// # Errors
/// 400 for fields that do not fit.
pub async fn create_skill(_: Staff, db: Data<Db>, body: Body) -> Result<Created<SkillBody>, Error> {
    db.write(move |conn| {
        let mut draft = SkillDraft::default();
        read(conn, body.form()?, &mut draft, None)?;
        let id = draft.insert(conn, None)?;
        Ok(Created {
            id,
            body: stored(conn, id)?,
        })
    })
    .await
}

/// `PUT` and `PATCH /api/skills/{id}/`
///
/// # Errors
/// 404 when there is none, 400 for fields that do not fit.
pub async fn update_skill(
    _: Staff,
    db: Data<Db>,
    id: Id<Skill>,
    body: Body,
) -> Result<Json<SkillBody>, Error> {
    db.write(move |conn| {
        let old = SkillDraft::from(id.found(Skill::held(conn, id.get())?)?);
        let mut draft = old.clone();
        read(conn, body.form()?, &mut draft, Some(id.get()))?;
        if draft != old {
            draft.update(conn, id.get())?;
        }
        stored(conn, id.get()).map(Json)
    })
    .await
}

/// `DELETE /api/skills/{id}/`: who had it has it no more.
///
/// # Errors
/// 404 when there is none.
pub async fn delete_skill(
    _: Staff,
    _: NoParams,
    db: Data<Db>,
    id: Id<Skill>,
) -> Result<NoContent, Error> {
    db.write(move |conn| {
        id.found(Skill::held(conn, id.get())?)?;
        Skill::delete(conn, id.get())?;
        Ok::<_, Error>(NoContent)
    })
    .await
}

/// Reads a skill into the draft; `id` is that of the skill to be changed.
fn read(
    conn: &mut DbConnection,
    mut form: Form,
    draft: &mut SkillDraft,
    id: Option<i64>,
) -> Result<(), Error> {
    form.required("name", &mut draft.name, form::text_by(Skill::check_name));
    form.required(
        "category",
        &mut draft.category,
        form::text(Skill::CATEGORY_MAX),
    );
    let named = Skill::named(conn, &draft.name)?;
    if named.is_some_and(|named| Some(named.id) != id) {
        form.refuse("name", &rules::taken("skill", "name"));
    }
    form.read_only(&["id"]);
    form.finish()
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<SkillBody, Error> {
    let skill = Skill::find(conn, id)?;
    Ok(skill.ok_or(Error::NoSuchObject(Skill::NAME))?.into())
}
