use actix_web::web::{Data, Json};
use serde::Serialize;

use super::Id;
use crate::{
    db::Db,
    error::Error,
    models::Skill,
    query::{Detail, Filter, Filtered, List, Page, Shape, Shown},
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
    db: Data<Db>,
    id: Id<Skill>,
    detail: Detail<Skill>,
) -> Result<Json<Shown<SkillBody>>, Error> {
    let skill = db
        .read(move |conn| id.found(Skill::find(conn, id.get())?))
        .await?;
    Ok(Json(detail.fields.show(skill.into())))
}
