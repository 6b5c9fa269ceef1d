use actix_web::web::{Data, Json};
use serde::Serialize;

use super::{
    Body, Created, Form, Id, NoContent, companies::CompanyBriefBody, form, skills::SkillBody,
};
use crate::{
    auth::{Anyone, Editing, Owned, Staff},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{
        Company, Developer, DeveloperDraft, DeveloperQuery, DeveloperScopes, DeveloperSkill, Found,
        Reference, Skill, User,
    },
    query::{
        Condition, Detail, Fields, Filter, Filtered, Frame, List, Listed, NoParams, Page, Shape,
        Shown, Slice,
    },
    rules,
};

/// A developer as the API shows it.
#[derive(Debug, Serialize)]
pub struct DeveloperBody {
    pub id: i64,
    pub name: String,
    pub company: CompanyBriefBody,
    /// Sorted by name.
    pub skills: Vec<SkillBody>,
    pub years_experience: i32,
    pub last_login: Option<Stamp>,
    /// The user name of the account that is this developer's.
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
            parse: |value| {
                Ok(Developer::has(Reference::Name(
                    rules::without_nul(value)?.to_owned(),
                )))
            },
        },
        // Beyond what DRF has: skills as a set, by names or ids.
        Filter {
            name: "skills__all",
            parse: |value| Ok(Condition::All(having(value)?)),
        },
        Filter {
            name: "skills__any",
            parse: |value| Ok(Condition::Any(having(value)?)),
        },
        Filter {
            name: "skills__none",
            parse: |value| Ok(Condition::Any(having(value)?).negated()),
        },
        Filter {
            name: "skills__min",
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

/// `GET /api/developers/`: the newest first, each with company and skills.
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
pub async fn list_developers(
    _: Anyone,
    db: Data<Db>,
    list: List<Developer>,
) -> Result<Json<Page<Shown<DeveloperBody>>>, Error> {
    let (slice, frame) = db.read(move |conn| load(conn, list, |query| query)).await?;
    Ok(Json(frame.page(slice)))
}

/// `GET /api/developers/{id}/`
///
/// # Errors
/// 400 for a field that it does not have, 404 when there is none.
pub async fn get_developer(
    _: Anyone,
    db: Data<Db>,
    id: Id<Developer>,
    detail: Detail<Developer>,
) -> Result<Json<Shown<DeveloperBody>>, Error> {
    let fields = detail.fields.clone();
    let found = db
        .read(move |conn| {
            let developer = id.found(Developer::find_among(conn, query(&fields), id.get())?)?;
            id.found(complete(conn, vec![developer], &fields)?.pop())
        })
        .await?;
    Ok(Json(detail.fields.show(found.into())))
}

/// `POST /api/developers/`
///
/// # Errors
/// 400 for fields that do not fit.
pub async fn create_developer(
    _: Staff,
    db: Data<Db>,
    body: Body,
) -> Result<Created<DeveloperBody>, Error> {
    db.write(move |conn| {
        let mut draft = DeveloperDraft::new(Stamp::now());
        let skills = read(conn, body.form()?, &mut draft, true)?;
        let id = draft.insert(conn, None)?;
        DeveloperSkill::link(conn, id, &skills.unwrap_or_default())?;
        Ok(Created {
            id,
            body: stored(conn, id)?,
        })
    })
    .await
}

/// `PUT` and `PATCH /api/developers/{id}/`, by staff and by the user whose profile it is.
///
/// # Errors
/// 404 when there is none, 403 when it is another's, 400 for fields that do not fit.
pub async fn update_developer(
    editing: Editing<Developer>,
    db: Data<Db>,
    body: Body,
) -> Result<Json<DeveloperBody>, Error> {
    db.write(move |conn| {
        let developer = editing.load(conn)?;
        let id = developer.id;
        let old = DeveloperDraft::from(developer);
        let mut draft = old.clone();
        let skills = read(conn, body.form()?, &mut draft, editing.user.is_staff)?;
        let relinked = match skills {
            Some(skills) => DeveloperSkill::replace(conn, id, &skills)?,
            None => false,
        };
        if draft != old || relinked {
            draft.updated_at = Stamp::now();
            draft.update(conn, id)?;
        }
        stored(conn, id).map(Json)
    })
    .await
}

/// `DELETE /api/developers/{id}/`
///
/// # Errors
/// 404 when there is none.
pub async fn delete_developer(
    _: Staff,
    _: NoParams,
    db: Data<Db>,
    id: Id<Developer>,
) -> Result<NoContent, Error> {
    db.write(move |conn| {
        id.found(Developer::held(conn, id.get())?)?;
        Developer::delete(conn, id.get())?;
        Ok::<_, Error>(NoContent)
    })
    .await
}

/// Everybody sees developers; one belongs to the user who is linked to it.
impl Owned for Developer {
    const PUBLIC: bool = true;

    fn held(conn: &mut DbConnection, id: i64) -> diesel::QueryResult<Option<Self>> {
        Self::held(conn, id)
    }

    fn owner(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.id)
    }
}

/// Reads a developer into the draft and returns the skills, if they are named.
fn read(
    conn: &mut DbConnection,
    mut form: Form,
    draft: &mut DeveloperDraft,
    staff: bool,
) -> Result<Option<Vec<i64>>, Error> {
    let companies = Found::<Company>::load(conn, form.referred::<Company>("company"))?;
    let known_skills = Found::<Skill>::load(conn, form.referred::<Skill>("skills"))?;
    let mut skills = None;
    form.required("name", &mut draft.name, form::text(Developer::NAME_MAX));
    form.required(
        "company",
        &mut draft.company_id,
        form::reference_to(&companies),
    );
    form.references("skills", &mut skills, &known_skills);
    form.optional(
        "years_experience",
        &mut draft.years_experience,
        0,
        form::integer(0..=Developer::YEARS_MAX),
    );
    if staff {
        let users = Found::<User>::load(conn, form.referred::<User>("user"))?;
        form.nullable("user", &mut draft.user_id, form::reference_to(&users));
        form.nullable("last_login", &mut draft.last_login, form::stamp);
    }
    form.read_only(&["id", "user", "last_login", "created_at", "updated_at"]);
    form.finish()?;
    Ok(skills)
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<DeveloperBody, Error> {
    let developer = Developer::find(conn, id)?.ok_or(Error::NoSuchObject(Developer::NAME))?;
    let mut developers = Developer::with_skills(conn, vec![developer])?;
    let developer = developers
        .pop()
        .ok_or(Error::NoSuchObject(Developer::NAME))?;
    Ok(developer.into())
}

/// `GET /api/companies/{id}/developers/`: the developers' list of that company.
///
/// # Errors
/// 404 when there is no such company; else as [`list_developers`].
pub async fn list_company_developers(
    _: Anyone,
    db: Data<Db>,
    company: Id<Company>,
    list: List<Developer>,
) -> Result<Json<Page<Shown<DeveloperBody>>>, Error> {
    list_of(db, company, list, DeveloperQuery::of_company, Company::find).await
}

/// `GET /api/skills/{id}/developers/`: the developers' list of that skill.
///
/// # Errors
/// 404 when there is no such skill; else as [`list_developers`].
pub async fn list_skill_developers(
    _: Anyone,
    db: Data<Db>,
    skill: Id<Skill>,
    list: List<Developer>,
) -> Result<Json<Page<Shown<DeveloperBody>>>, Error> {
    list_of(db, skill, list, DeveloperQuery::with_skill, Skill::find).await
}

/// The developers' list of one object of another kind.
async fn list_of<M: Listed>(
    db: Data<Db>,
    id: Id<M>,
    list: List<Developer>,
    narrow: fn(DeveloperQuery, i64) -> DeveloperQuery,
    find: fn(&mut DbConnection, i64) -> diesel::QueryResult<Option<M>>,
) -> Result<Json<Page<Shown<DeveloperBody>>>, Error> {
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
    Ok(Json(frame.page(slice)))
}

/// The developers' having each of the skills that `text` names.
fn having(text: &str) -> Result<Vec<Condition>, String> {
    let skills = Skill::references(text).ok_or_else(|| {
        format!(
            "Enter up to {} names or ids of skills, with commas between them.",
            Skill::REFERENCES_MAX
        )
    })?;
    Ok(skills.into_iter().map(Developer::has).collect())
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

/// The developers with their companies, which are only fetched when they are shown.
fn query(fields: &Fields) -> DeveloperQuery {
    if fields.contains("company") {
        Developer::all()
    } else {
        Developer::all_without_company()
    }
}

/// The developers with their skills, which are only fetched when they are shown.
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
