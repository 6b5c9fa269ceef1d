use actix_web::web::{Data, Json};
use serde::Serialize;

use super::{Body, Created, Form, Id, NoContent, form, skills::SkillBody};
use crate::{
    auth::{self, Editing, Owned},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{Found, Project, ProjectDraft, ProjectQuery, ProjectSkill, Skill, User},
    query::{Detail, Fields, Filter, Filtered, List, Listed, NoParams, Page, Shape, Shown},
};

/// A project as the API shows it.
#[derive(Debug, Serialize)]
pub struct ProjectBody {
    pub id: i64,
    pub name: String,
    pub description: String,
    /// Those it needs, sorted by name.
    pub skills: Vec<SkillBody>,
    /// The user name of whose it is.
    pub owner: String,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl From<(Project, Vec<Skill>)> for ProjectBody {
    fn from((project, skills): (Project, Vec<Skill>)) -> Self {
        let Project {
            id,
            name,
            description,
            owner,
            created_at,
            updated_at,
        } = project;
        Self {
            id,
            name,
            description,
            skills: skills.into_iter().map(SkillBody::from).collect(),
            owner: owner.username,
            created_at,
            updated_at,
        }
    }
}

impl Filtered for Project {
    const FILTERS: &'static [Filter] = &[];
    const SHAPE: Shape = &[
        ("id", &[]),
        ("name", &[]),
        ("description", &[]),
        ("skills", &["id", "name", "category"]),
        ("owner", &[]),
        ("created_at", &[]),
        ("updated_at", &[]),
    ];
}

/// To others a project is as if it were not there.
impl Owned for Project {
    const PUBLIC: bool = false;

    fn held(conn: &mut DbConnection, id: i64) -> diesel::QueryResult<Option<Self>> {
        Self::held(conn, id)
    }

    fn owner(&self) -> Option<i64> {
        Some(self.owner.id)
    }
}

/// `GET /api/projects/`: the caller's own, to staff all of them, the newest first.
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
pub async fn list_projects(
    user: auth::User,
    db: Data<Db>,
    list: List<Project>,
) -> Result<Json<Page<Shown<ProjectBody>>>, Error> {
    let (slice, frame) = db
        .read(move |conn| {
            let (slice, frame) = list.load(conn, visible_to(&user))?;
            let slice = slice.try_map(|rows| complete(conn, rows, frame.fields()))?;
            Ok::<_, Error>((slice, frame))
        })
        .await?;
    Ok(Json(frame.page(slice)))
}

/// `GET /api/projects/{id}/`
///
/// # Errors
/// 404 when the caller sees none of this id, 400 for a field that it does not have.
pub async fn get_project(
    user: auth::User,
    db: Data<Db>,
    id: Id<Project>,
    detail: Detail<Project>,
) -> Result<Json<Shown<ProjectBody>>, Error> {
    let fields = detail.fields.clone();
    let found = db
        .read(move |conn| {
            let project = id.found(Project::find_among(conn, visible_to(&user), id.get())?)?;
            id.found(complete(conn, vec![project], &fields)?.pop())
        })
        .await?;
    Ok(Json(detail.fields.show(found.into())))
}

/// `POST /api/projects/`: the caller becomes the owner; staff may name another.
///
/// # Errors
/// 400 for fields that do not fit.
pub async fn create_project(
    user: auth::User,
    db: Data<Db>,
    body: Body,
) -> Result<Created<ProjectBody>, Error> {
    db.write(move |conn| {
        let mut draft = ProjectDraft::new(user.id, Stamp::now());
        let skills = read(conn, body.form()?, &mut draft, &user)?;
        let id = draft.insert(conn, None)?;
        ProjectSkill::link(conn, id, &skills.unwrap_or_default())?;
        Ok(Created {
            id,
            body: stored(conn, id)?,
        })
    })
    .await
}

/// `PUT` and `PATCH /api/projects/{id}/`, by the owner and by staff.
///
/// # Errors
/// 404 when the caller sees none of this id, 400 for fields that do not fit.
pub async fn update_project(
    editing: Editing<Project>,
    db: Data<Db>,
    body: Body,
) -> Result<Json<ProjectBody>, Error> {
    db.write(move |conn| {
        let project = editing.load(conn)?;
        let id = project.id;
        let old = ProjectDraft::from(project);
        let mut draft = old.clone();
        let skills = read(conn, body.form()?, &mut draft, &editing.user)?;
        let relinked = match skills {
            Some(skills) => ProjectSkill::replace(conn, id, &skills)?,
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

/// `DELETE /api/projects/{id}/`, by the owner and by staff.
///
/// # Errors
/// 404 when the caller sees none of this id.
pub async fn delete_project(
    editing: Editing<Project>,
    _: NoParams,
    db: Data<Db>,
) -> Result<NoContent, Error> {
    db.write(move |conn| {
        let project = editing.load(conn)?;
        Project::delete(conn, project.id)?;
        Ok::<_, Error>(NoContent)
    })
    .await
}

fn visible_to(user: &auth::User) -> ProjectQuery {
    if user.is_staff {
        Project::all()
    } else {
        Project::of_owner(user.id)
    }
}

/// The projects with their skills, which are only fetched when they are shown.
fn complete(
    conn: &mut DbConnection,
    projects: Vec<Project>,
    fields: &Fields,
) -> diesel::QueryResult<Vec<(Project, Vec<Skill>)>> {
    if fields.contains("skills") {
        Project::with_skills(conn, projects)
    } else {
        Ok(projects
            .into_iter()
            .map(|project| (project, Vec::new()))
            .collect())
    }
}

/// Reads a project into the draft and returns the skills, if they are named.
fn read(
    conn: &mut DbConnection,
    mut form: Form,
    draft: &mut ProjectDraft,
    user: &auth::User,
) -> Result<Option<Vec<i64>>, Error> {
    let known_skills = Found::<Skill>::load(conn, form.referred::<Skill>("skills"))?;
    let mut skills = None;
    form.required("name", &mut draft.name, form::text(Project::NAME_MAX));
    form.optional(
        "description",
        &mut draft.description,
        String::new(),
        form::optional_text,
    );
    form.references("skills", &mut skills, &known_skills);
    if user.is_staff {
        let users = Found::<User>::load(conn, form.referred::<User>("owner"))?;
        let owner = draft.owner_id;
        form.optional(
            "owner",
            &mut draft.owner_id,
            owner,
            form::reference_to(&users),
        );
    }
    form.read_only(&["id", "owner", "created_at", "updated_at"]);
    form.finish()?;
    Ok(skills)
}

fn stored(conn: &mut DbConnection, id: i64) -> Result<ProjectBody, Error> {
    let project = Project::find(conn, id)?.ok_or(Error::NoSuchObject(Project::NAME))?;
    let mut projects = Project::with_skills(conn, vec![project])?;
    let project = projects.pop().ok_or(Error::NoSuchObject(Project::NAME))?;
    Ok(project.into())
}
