mod write;

use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::write::*;
use super::{Id, companies::CompanyBriefBody, skills::SkillBody};
use crate::{
    auth::Anyone,
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Company, Developer, DeveloperQuery, DeveloperScopes, Skill, Stored},
    query::{
        Detail, Fields, Filter, Filtered, Frame, ITEM, List, Listed, Name, Page, Shape, Shown,
        Slice, Values,
    },
    rules,
};

/// A developer as the API shows it.
///
/// ```json
/// {
///   "id": 7, "name": "Ada", "company": {"id": 1, "name": "Acme", "founded_year": 1999},
///   "skills": [{"id": 3, "name": "Rust", "category": "programming"}],
///   "years_experience": 12, "last_login": null, "user": null,
///   "created_at": "2026-11-20T08:15:30.123456Z", "updated_at": "2026-11-20T08:15:30.123456Z"
/// }
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Developer)]
pub struct DeveloperBody {
    pub id: i64,
    pub name: String,
    pub company: CompanyBriefBody,
    /// Sorted by name.
    pub skills: Vec<SkillBody>,
    pub years_experience: i32,
    #[schema(required)]
    pub last_login: Option<Stamp>,
    /// The name of this developer's account.
    #[schema(required)]
    pub user: Option<String>,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl From<(Developer, Vec<Skill>)> for DeveloperBody {
    fn from((developer, skills): (Developer, Vec<Skill>)) -> Self {
        let Developer {
            id,
            name,
            company,
            years_experience,
            last_login,
            user,
            created_at,
            updated_at,
        } = developer;
        Self {
            id,
            name,
            company: company.into(),
            skills: skills.into_iter().map(SkillBody::from).collect(),
            years_experience,
            last_login,
            user: user.map(|user| user.username),
            created_at,
            updated_at,
        }
    }
}

impl Filtered for Developer {
    const FILTERS: &'static [Filter] = &[
        Filter {
            name: "active",
            about: "Logged in within 30 days, or not.",
            values: Values::Boolean,
            parse: |value| {
                let (active, now) = (rules::boolean(value)?, Stamp::now());
                Ok(if active {
                    Developer::is_active(now)
                } else {
                    Developer::is_inactive(now)
                })
            },
        },
        Filter {
            name: "senior",
            about: "Has 5 years of experience or more, or fewer.",
            values: Values::Boolean,
            parse: |value| {
                let (senior, is_senior) = (rules::boolean(value)?, Developer::is_senior());
                Ok(if senior {
                    is_senior
                } else {
                    is_senior.negated()
                })
            },
        },
        Filter {
            name: "skill",
            about: "Has the skill of this name, in any letter case; repeated, all of them.",
            values: Values::Text,
            parse: |value| {
                let name = Name::read(rules::without_nul(value)?);
                Ok(Developer::has_all(vec![name]))
            },
        },
        // Beyond what DRF has: skills as a set, by names or ids.
        Filter {
            name: "skills__all",
            about: "Has all of these skills, by name or id.",
            values: Values::Texts(Skill::REFERENCES_MAX),
            parse: |value| Ok(Developer::has_all(skills(value)?)),
        },
        Filter {
            name: "skills__any",
            about: "Has one of these skills, by name or id.",
            values: Values::Texts(Skill::REFERENCES_MAX),
            parse: |value| Ok(Developer::has_at_least(1, skills(value)?)),
        },
        Filter {
            name: "skills__none",
            about: "Has none of these skills, by name or id.",
            values: Values::Texts(Skill::REFERENCES_MAX),
            parse: |value| Ok(Developer::has_none(skills(value)?)),
        },
        Filter {
            name: "skills__min",
            about: "Has that many of these skills, by name or id, or more: `2:Rust,SQL,Docker`.",
            values: Values::Pattern(|| {
                let more = Skill::REFERENCES_MAX - 1;
                format!("^[1-9][0-9]{{0,8}}:{ITEM}(?:,{ITEM}){{0,{more}}}$")
            }),
            parse: |value| {
                let wrong =
                    || "Enter a number, a colon and skills, such as 2:Rust,SQL,Docker.".to_owned();
                let (count, skills) = value.split_once(':').ok_or_else(wrong)?;
                let count = count
                    .parse()
                    .ok()
                    .filter(|count| *count > 0)
                    .ok_or_else(wrong)?;
                Ok(Developer::has_at_least(
                    count,
                    Skill::references(skills).ok_or_else(wrong)?,
                ))
            },
        },
    ];
    const SHAPE: Shape = &[
        ("id", &[]),
        ("name", &[]),
        ("company", &["id", "name", "founded_year"]),
        ("skills", &["id", "name", "category"]),
        ("years_experience", &[]),
        ("last_login", &[]),
        ("user", &[]),
        ("created_at", &[]),
        ("updated_at", &[]),
    ];
}

/// Developers, newest first, each with company and skills.
///
/// # Errors
/// 400 for an unknown or invalid parameter, 404 for an invalid cursor.
#[utoipa::path(get, path = "/api/developers/")]
pub async fn list_developers(
    _: Anyone,
    db: Data<Db>,
    list: List<Developer>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    let (slice, frame) = db.read(move |conn| load(conn, list, |query| query)).await?;
    Ok(frame.page(slice))
}

/// One developer.
///
/// # Errors
/// 400 for an unknown field, 404 when there is none.
#[utoipa::path(get, path = "/api/developers/{id}/")]
pub async fn get_developer(
    _: Anyone,
    db: Data<Db>,
    id: Id<Developer>,
    detail: Detail<Developer>,
) -> Result<Shown<DeveloperBody>, Error> {
    let fields = detail.fields.clone();
    let found = db
        .read(move |conn| {
            let developer = id.found(Developer::find_among(conn, query(&fields), id.get())?)?;
            id.found(complete(conn, vec![developer], &fields)?.pop())
        })
        .await?;
    Ok(detail.fields.show(found.into()))
}

/// The developers of one company.
///
/// # Errors
/// 404 when there is no such company, or for an invalid cursor; 400 for an unknown or invalid parameter.
#[utoipa::path(get, path = "/api/companies/{id}/developers/")]
pub async fn list_company_developers(
    _: Anyone,
    db: Data<Db>,
    company: Id<Company>,
    list: List<Developer>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    list_of(db, company, list, DeveloperQuery::of_company, Company::find).await
}

/// The developers who have one skill.
///
/// # Errors
/// 404 when there is no such skill, or for an invalid cursor; 400 for an unknown or invalid parameter.
#[utoipa::path(get, path = "/api/skills/{id}/developers/")]
pub async fn list_skill_developers(
    _: Anyone,
    db: Data<Db>,
    skill: Id<Skill>,
    list: List<Developer>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    list_of(db, skill, list, DeveloperQuery::with_skill, Skill::find).await
}

/// The list of developers narrowed to one company or skill, which must exist.
async fn list_of<M: Listed>(
    db: Data<Db>,
    id: Id<M>,
    list: List<Developer>,
    narrow: fn(DeveloperQuery, i64) -> DeveloperQuery,
    find: fn(&mut DbConnection, i64) -> diesel::QueryResult<Option<M>>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    let (slice, frame) = db
        .read(move |conn| {
            let found = load(conn, list, |query| narrow(query, id.get()))?;
            // Rows prove that the object is there.
            if found.0.rows.is_empty() {
                id.found(find(conn, id.get())?)?;
            }
            Ok::<_, Error>(found)
        })
        .await?;
    Ok(frame.page(slice))
}

/// The skills that `text` names.
fn skills(text: &str) -> Result<Vec<Name>, String> {
    Skill::references(text).ok_or_else(|| {
        format!(
            "Enter up to {} names or ids of skills, with commas between them.",
            Skill::REFERENCES_MAX
        )
    })
}

type Loaded = (Slice<(Developer, Vec<Skill>)>, Frame);

fn load(
    conn: &mut DbConnection,
    list: List<Developer>,
    narrow: impl FnOnce(DeveloperQuery) -> DeveloperQuery,
) -> Result<Loaded, Error> {
    let query = narrow(query(list.fields()));
    let (slice, frame) = list.load(conn, query)?;
    let slice = slice.try_map(|rows| complete(conn, rows, frame.fields()))?;
    Ok((slice, frame))
}

/// The query for developers. It joins the companies only when they are shown.
fn query(fields: &Fields) -> DeveloperQuery {
    if fields.contains("company") {
        Developer::all()
    } else {
        Developer::all_without_company()
    }
}

/// The developers with their skills, which are loaded only when they are shown.
fn complete(
    conn: &mut DbConnection,
    developers: Vec<Developer>,
    fields: &Fields,
) -> diesel::QueryResult<Vec<(Developer, Vec<Skill>)>> {
    if fields.contains("skills") {
        Developer::with_skills(conn, developers)
    } else {
        Ok(developers
            .into_iter()
            .map(|developer| (developer, Vec::new()))
            .collect())
    }
}
