use actix_web::web::Data;
use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Answer, Body, Changed, Create, Created, Done, Form, Id, Patch, Resource, Update, Write, form,
    skills::SkillBody,
};
use crate::{
    auth::{self, Editing, Owned},
    db::{Db, DbConnection, Stamp},
    error::Error,
    models::{
        Author, Found, ObjectType, Project, ProjectDraft, ProjectQuery, ProjectSkill, Skill,
        Stored, User,
    },
    query::{Detail, Fields, Filter, Filtered, List, NoParams, Page, Shape, Shown},
};

/// A project as the API shows it.
///
/// ```json
/// {
///   "id": 1, "name": "Engine", "description": "It computes.",
///   "skills": [{"id": 3, "name": "Rust", "category": "programming"}], "owner": "ada",
///   "created_at": "2026-11-20T08:15:30.123456Z", "updated_at": "2026-11-20T08:15:30.123456Z"
/// }
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub struct ProjectBody {
    pub id: i64,
    pub name: String,
    pub description: String,
    /// The skills that it needs, sorted by name.
    pub skills: Vec<SkillBody>,
    /// The owner's user name.
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

/// Projects are visible to their owner and staff only.
impl Owned for Project {
    const PUBLIC: bool = false;

    fn owner(&self) -> Option<i64> {
        Some(self.owner.id)
    }
}

/// The caller's projects, newest first. Staff see the projects of all users.
///
/// # Errors
/// 400 for an unknown or invalid parameter, 404 for an invalid cursor.
#[utoipa::path(get, path = "/api/projects/")]
pub async fn list_projects(
    user: auth::User,
    db: Data<Db>,
    list: List<Project>,
) -> Result<Page<Shown<ProjectBody>>, Error> {
    let (slice, frame) = db
        .read(move |conn| {
            let (slice, frame) = list.load(conn, visible_to(&user))?;
            let slice = slice.try_map(|rows| complete(conn, rows, frame.fields()))?;
            Ok::<_, Error>((slice, frame))
        })
        .await?;
    Ok(frame.page(slice))
}

/// One project.
///
/// # Errors
/// 404 when there is none that the caller may see, 400 for an unknown field.
#[utoipa::path(get, path = "/api/projects/{id}/")]
pub async fn get_project(
    user: auth::User,
    db: Data<Db>,
    id: Id<Project>,
    detail: Detail<Project>,
) -> Result<Shown<ProjectBody>, Error> {
    let fields = detail.fields.clone();
    let found = db
        .read(move |conn| {
            let project = id.found(Project::find_among(conn, visible_to(&user), id.get())?)?;
            id.found(complete(conn, vec![project], &fields)?.pop())
        })
        .await?;
    Ok(detail.fields.show(found.into()))
}

/// Creates a project. The caller becomes its owner; staff may name another.
///
/// # Errors
/// 400 for invalid fields.
#[utoipa::path(post, path = "/api/projects/")]
pub async fn create_project(
    user: auth::User,
    write: Write,
    body: Body<Create<Project>>,
) -> Result<Answer<Created<Project>>, Error> {
    write.create::<Project>(user, body).await
}

/// Replaces a project. For its owner and staff.
///
/// # Errors
/// 404 when there is none that the caller may see, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(put, path = "/api/projects/{id}/")]
pub async fn update_project(
    editing: Editing<Project>,
    write: Write,
    body: Body<Update<Project>>,
) -> Result<Answer<Changed<Project>>, Error> {
    let by = editing.user.clone();
    write.update(by, body, move |conn| editing.load(conn)).await
}

/// Changes some fields of a project. For its owner and staff.
///
/// # Errors
/// 404 when there is none that the caller may see, 412 when it has changed since, 400 for invalid fields.
#[utoipa::path(patch, path = "/api/projects/{id}/")]
pub async fn partial_update_project(
    editing: Editing<Project>,
    write: Write,
    body: Body<Patch<Project>>,
) -> Result<Answer<Changed<Project>>, Error> {
    let by = editing.user.clone();
    write.update(by, body, move |conn| editing.load(conn)).await
}

/// Deletes a project.
///
/// # Errors
/// 404 when there is none that the caller may see, 412 when it has changed since.
#[utoipa::path(delete, path = "/api/projects/{id}/")]
pub async fn delete_project(
    editing: Editing<Project>,
    _: NoParams,
    write: Write,
) -> Result<Answer<Done>, Error> {
    write.delete(move |conn| editing.load(conn)).await
}

fn visible_to(user: &auth::User) -> ProjectQuery {
    if user.is_staff {
        Project::all()
    } else {
        Project::of_owner(user.id)
    }
}

/// The projects with their skills, which are loaded only when they are shown.
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

/// The objects that projects' forms refer to.
#[derive(Default)]
pub struct Referred {
    skills: Found<Skill>,
    users: Found<User>,
}

impl Resource for Project {
    const TYPE: ObjectType = ObjectType::Project;
    type Body = ProjectBody;
    /// The row, and the skills when the form names them.
    type Draft = (ProjectDraft, Option<Vec<i64>>);
    type Known = Referred;

    fn blank(by: &auth::User, now: Stamp) -> Self::Draft {
        (ProjectDraft::new(by.id, now), None)
    }

    fn draft(self) -> Self::Draft {
        (self.into(), None)
    }

    fn known(conn: &mut DbConnection, forms: &[Form]) -> QueryResult<Referred> {
        Ok(Referred {
            skills: Form::found(conn, forms, "skills")?,
            users: Form::found(conn, forms, "owner")?,
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
        form.optional(
            "description",
            &mut draft.description,
            String::new(),
            form::optional_text(),
        );
        form.references("skills", skills, &known.skills);
        if by.is_staff {
            form.kept(
                "owner",
                &mut draft.owner_id,
                form::reference_to(&known.users),
            );
        }
        form.read_only(&["id", "owner", "created_at", "updated_at"]);
    }

    fn insert(conn: &mut DbConnection, (draft, _): &Self::Draft) -> QueryResult<i64> {
        draft.insert(conn, None)
    }

    fn link(conn: &mut DbConnection, ids: &[i64], drafts: &[Self::Draft]) -> QueryResult<()> {
        let skills = drafts.iter().map(|(_, skills)| skills.as_deref());
        ProjectSkill::link_each(conn, ids, skills.map(Option::unwrap_or_default))
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        (old, _): &Self::Draft,
        (mut new, skills): Self::Draft,
    ) -> Result<(), Error> {
        let relinked = match skills {
            Some(skills) => ProjectSkill::replace(conn, id, &skills)?,
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

    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> QueryResult<Vec<(i64, ProjectBody)>> {
        let projects = Self::of_ids(conn, ids)?;
        let projects = Self::with_skills(conn, projects)?;
        Ok(projects
            .into_iter()
            .map(|found| (found.0.id, found.into()))
            .collect())
    }
}
