mod links;

use std::sync::Arc;

use diesel::{dsl, prelude::*};

pub use self::links::ProjectSkill;
use super::{UserBrief, insert::insert_row, stored::stored};
use crate::{
    db::{
        Backend, DbConnection, Stamp,
        schema::{project_skills, projects, skills, users},
    },
    query::{Condition, Field, HasWord, Linked, Listed, Relation, WordIndex},
    text::{fold, joined_words},
};

/// A project of a user, which needs skills.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Identifiable)]
#[diesel(table_name = projects)]
pub struct Project {
    pub id: i64,
    pub name: String,
    pub description: String,
    pub owner: UserBrief,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

type Source = dsl::LeftJoinQuerySource<projects::table, users::table>;

/// The columns of the owner, from an outer join, although the owner always exists.
type OwnerColumns = (
    dsl::AssumeNotNull<dsl::Nullable<users::id>>,
    dsl::AssumeNotNull<dsl::Nullable<users::username>>,
);

/// The columns of a [`Project`], in the order of its fields.
type Columns = (
    projects::id,
    projects::name,
    projects::description,
    OwnerColumns,
    projects::created_at,
    projects::updated_at,
);

/// A boxed query for projects: filters and orders can be added without changing its type.
pub type ProjectQuery = dsl::IntoBoxed<
    'static,
    dsl::Select<dsl::LeftJoin<projects::table, users::table>, Columns>,
    Backend,
>;

stored!(Project, projects);

impl Project {
    pub const NAME_MAX: usize = 200;
    pub const DESCRIPTION_MAX: usize = 20_000;

    /// All projects with their owners. Every project has an owner; the join is an outer one so that the database always goes
    /// from projects to owners.
    pub fn all() -> ProjectQuery {
        let owner = (
            users::id.nullable().assume_not_null(),
            users::username.nullable().assume_not_null(),
        );
        let columns = (
            projects::id,
            projects::name,
            projects::description,
            owner,
            projects::created_at,
            projects::updated_at,
        );
        projects::table
            .left_join(users::table)
            .select(columns)
            .into_boxed()
    }

    /// The projects of one user.
    pub fn of_owner(owner_id: i64) -> ProjectQuery {
        Self::all().filter(projects::owner_id.eq(owner_id))
    }

    pub fn ids_of_owner(conn: &mut DbConnection, owner_id: i64) -> QueryResult<Vec<i64>> {
        projects::table
            .filter(projects::owner_id.eq(owner_id))
            .select(projects::id)
            .order(projects::id)
            .load(conn)
    }
}

/// The skills that a project needs.
const SKILLS: Relation = Relation {
    exists: "EXISTS (SELECT 1 FROM project_skills WHERE project_skills.project_id = projects.id AND ",
    select: "SELECT project_skills.project_id FROM project_skills WHERE ",
    column: || Arc::new(projects::id),
    linked: Some(Linked {
        select: "SELECT skills.id FROM skills WHERE ",
        sought: || Arc::new(project_skills::skill_id),
        checked: || Arc::new(project_skills::skill_id + 0),
    }),
};

/// The words of projects' names and descriptions.
const PROJECT_TEXTS: WordIndex = WordIndex {
    table: "projects",
    of_sqlite: "",
    of_postgres: "name_words || ' ' || description_words",
};

impl Listed for Project {
    type Source = Source;
    type Query = ProjectQuery;

    const NAME: &'static str = "Project";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(projects::id))
            .filtered()
            .sorted_int(|row| row.id),
        Field::text("name", || Arc::new(projects::name))
            .filtered_folded(|| Arc::new(projects::name_key))
            .sorted_text(|row| row.name.clone()),
        Field::text("owner", || Arc::new(users::username))
            .filtered_folded(|| Arc::new(users::username_key)),
        Field::text("skills__name", || Arc::new(skills::name))
            .filtered_folded(|| Arc::new(skills::name_key))
            .of(SKILLS),
        Field::time("created_at", || Arc::new(projects::created_at))
            .filtered()
            .sorted_time(|row| Some(row.created_at)),
        Field::time("updated_at", || Arc::new(projects::updated_at))
            .filtered()
            .sorted_time(|row| Some(row.updated_at)),
    ];
    const DEFAULT_ORDER: &'static str = "-created_at";
    const HAS_WORD: Option<fn(&str) -> Condition> = Some(|word| {
        Condition::Among(
            Arc::new(projects::id),
            vec![HasWord::new("", PROJECT_TEXTS, word, "")],
        )
    });
}

/// A project to be, or what one is to become. The skills go their own way.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = projects)]
pub struct ProjectDraft {
    pub name: String,
    pub description: String,
    pub owner_id: i64,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

/// The columns that are made of others.
type Made = (
    dsl::Eq<projects::name_key, String>,
    dsl::Eq<projects::name_words, String>,
    dsl::Eq<projects::description_words, String>,
);

impl ProjectDraft {
    pub fn new(owner_id: i64, now: Stamp) -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            owner_id,
            created_at: now,
            updated_at: now,
        }
    }

    /// `id` is the database's to choose unless it is given.
    pub fn insert(&self, conn: &mut DbConnection, id: Option<i64>) -> QueryResult<i64> {
        insert_row!(conn, projects, id, (self, self.made()))
    }

    pub fn update(&self, conn: &mut DbConnection, id: i64) -> QueryResult<()> {
        diesel::update(projects::table.find(id))
            .set((self, self.made()))
            .execute(conn)
            .map(|_| ())
    }

    fn made(&self) -> Made {
        (
            projects::name_key.eq(fold(&self.name)),
            projects::name_words.eq(joined_words(&self.name)),
            projects::description_words.eq(joined_words(&self.description)),
        )
    }
}

impl From<Project> for ProjectDraft {
    fn from(project: Project) -> Self {
        let Project {
            id: _,
            name,
            description,
            owner,
            created_at,
            updated_at,
        } = project;
        Self {
            name,
            description,
            owner_id: owner.id,
            created_at,
            updated_at,
        }
    }
}
