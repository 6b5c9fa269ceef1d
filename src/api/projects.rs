use diesel::QueryResult;
use serde::Serialize;
use utoipa::ToSchema;

use super::{About, Form, Readable, Resource, form};
use crate::{
    auth::{self, Editing, Owned},
    db::{DbConnection, Stamp},
    error::Error,
    files::{Column, list, needed, optional},
    models::{
        Author, Found, ObjectType, Project, ProjectDraft, ProjectQuery, ProjectSkill, Skill,
        Stored, User,
    },
    query::{Fields, Filtered},
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
    /// Those it needs, sorted by name.
    pub skills: Vec<Skill>,
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
            skills,
            owner: owner.username,
            created_at,
            updated_at,
        }
    }
}

impl Filtered for Project {
    type Body = ProjectBody;
}

/// Users see their own projects, staff see everybody's.
impl Readable for Project {
    type Reader = auth::User;

    fn visible(user: &auth::User, _: &Fields) -> ProjectQuery {
        if user.is_staff {
            Self::all()
        } else {
            Self::of_owner(user.id)
        }
    }

    fn show(
        conn: &mut DbConnection,
        rows: Vec<Self>,
        fields: &Fields,
    ) -> QueryResult<Vec<ProjectBody>> {
        let rows = if fields.contains("skills") {
            Self::with_skills(conn, rows)?
        } else {
            rows.into_iter().map(|row| (row, Vec::new())).collect()
        };
        Ok(rows.into_iter().map(ProjectBody::from).collect())
    }
}

/// Projects are visible to their owner and staff only.
impl Owned for Project {
    const PUBLIC: bool = false;

    fn owner(&self) -> Option<i64> {
        Some(self.owner.id)
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
    const ABOUT: About = About {
        many: "projects",
        one: "a project",
        tag: "Projects, each of one user.",
        list: "The caller's projects, newest first. Staff see the projects of all users.",
        create: " The caller becomes its owner; staff may name another.",
        editors: " For its owner and staff.",
        delete: "Deletes a project.",
    };
    const COLUMNS: &'static [Column] = &[
        optional("id"),
        needed("owner"),
        needed("name"),
        optional("description"),
        list("skills"),
        optional("created_at"),
    ];
    type Creator = auth::User;
    type Editor = Editing<Self>;
    type Remover = Editing<Self>;
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
        id: Option<i64>,
    ) {
        form.required("name", &mut draft.name, form::text(Self::NAME_MAX));
        form.optional(
            "description",
            &mut draft.description,
            String::new(),
            form::optional_text(Self::DESCRIPTION_MAX),
        );
        form.references("skills", skills, &known.skills);
        if by.is_staff {
            form.kept(
                "owner",
                &mut draft.owner_id,
                form::reference_to(&known.users),
            );
        }
        if form.is_of_file() {
            form.kept("created_at", &mut draft.created_at, form::Moment);
        }
        if id.is_none() {
            draft.updated_at = draft.created_at;
        }
        form.read_only(&["id", "owner", "created_at", "updated_at"]);
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
        ProjectSkill::link_each(conn, ids, skills.map(Option::unwrap_or_default))
    }

    fn update(
        conn: &mut DbConnection,
        id: i64,
        (old, _): &Self::Draft,
        (mut new, skills): Self::Draft,
    ) -> QueryResult<bool> {
        let relinked = match skills {
            Some(skills) => ProjectSkill::replace(conn, id, &skills)?,
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
