mod write;

use actix_web::web::Data;
use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::write::*;
use super::{Id, Readable, reading::load};
use crate::{
    auth::Anyone,
    db::{DbConnection, Reader, Stamp},
    error::Error,
    models::{Company, CompanyBrief, Developer, DeveloperQuery, DeveloperScopes, Skill, Stored},
    query::{Fields, Filter, Filtered, ITEM, List, Listed, Name, Page, Shown, Values},
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
    pub company: CompanyBrief,
    /// Sorted by name.
    pub skills: Vec<Skill>,
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
            company,
            skills,
            years_experience,
            last_login,
            user: user.map(|user| user.username),
            created_at,
            updated_at,
        }
    }
}

impl Filtered for Developer {
    type Body = DeveloperBody;

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
}

impl Readable for Developer {
    type Reader = Anyone;

    fn visible(_: &Anyone, fields: &Fields) -> DeveloperQuery {
        if fields.contains("company") {
            Self::all()
        } else {
            Self::all_without_company()
        }
    }

    fn show(
        conn: &mut DbConnection,
        rows: Vec<Self>,
        fields: &Fields,
    ) -> QueryResult<Vec<DeveloperBody>> {
        let rows = if fields.contains("skills") {
            Self::with_skills(conn, rows)?
        } else {
            rows.into_iter().map(|row| (row, Vec::new())).collect()
        };
        Ok(rows.into_iter().map(DeveloperBody::from).collect())
    }
}

/// The developers of one company.
pub async fn list_company_developers(
    reader: Anyone,
    db: Data<Reader>,
    company: Id<Company>,
    list: List<Developer>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    list_of(
        reader,
        db,
        company,
        list,
        DeveloperQuery::of_company,
        Company::find,
    )
    .await
}

/// The developers with one skill.
pub async fn list_skill_developers(
    reader: Anyone,
    db: Data<Reader>,
    skill: Id<Skill>,
    list: List<Developer>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    list_of(
        reader,
        db,
        skill,
        list,
        DeveloperQuery::with_skill,
        Skill::find,
    )
    .await
}

/// The list of developers narrowed to one company or skill, which must exist.
async fn list_of<M: Listed>(
    reader: Anyone,
    db: Data<Reader>,
    id: Id<M>,
    list: List<Developer>,
    narrow: fn(DeveloperQuery, i64) -> DeveloperQuery,
    find: fn(&mut DbConnection, i64) -> QueryResult<Option<M>>,
) -> Result<Page<Shown<DeveloperBody>>, Error> {
    let (slice, frame) = db
        .read(move |conn| {
            let query = narrow(Developer::visible(&reader, list.fields()), id.get());
            let found = load(conn, list, query)?;
            // Rows prove that the object is there.
            if found.0.rows.is_empty() {
                id.found(find(conn, id.get())?)?;
            }
            Ok::<_, Error>(found)
        })
        .await?;
    frame.page(slice)
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
