mod conditions;
mod links;
mod listed;

use diesel::{
    dsl,
    prelude::*,
    sql_types::{BigInt, Integer, Text},
};

pub use self::{conditions::DeveloperScopes, links::DeveloperSkill};
use super::{CompanyBrief, Skill, batch::Batch, insert::insert_row};
use crate::{
    db::{
        Backend, DbConnection, Stamp,
        schema::{companies, developers, skills},
    },
    text::{fold, joined_words},
};

/// Someone who works for a company.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Identifiable)]
#[diesel(table_name = developers)]
pub struct Developer {
    pub id: i64,
    pub name: String,
    pub company: CompanyBrief,
    pub years_experience: i32,
    pub last_login: Option<Stamp>,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

type Source = dsl::LeftJoinQuerySource<developers::table, companies::table>;

/// What of a company a developer's query selects: of an outer join, though the company is always there.
type CompanyColumns = (
    dsl::AssumeNotNull<dsl::Nullable<companies::id>>,
    dsl::AssumeNotNull<dsl::Nullable<companies::name>>,
    dsl::AssumeNotNull<dsl::Nullable<companies::founded_year>>,
);

/// The columns of a [`Developer`], in the order of its fields.
type Columns = (
    developers::id,
    developers::name,
    CompanyColumns,
    developers::years_experience,
    developers::last_login,
    developers::created_at,
    developers::updated_at,
);

/// A query for developers that goes on being one, whatever is added to it.
pub type DeveloperQuery = dsl::IntoBoxed<
    'static,
    dsl::Select<dsl::LeftJoin<developers::table, companies::table>, Columns>,
    Backend,
>;

impl Developer {
    pub const NAME_MAX: usize = 200;
    pub const YEARS_MAX: i64 = 80;
    /// Years of experience that make a senior.
    pub const SENIOR_YEARS: i64 = 5;
    /// Days since the last login that still count as active.
    pub const ACTIVE_DAYS: i64 = 30;

    /// Every developer, each with its company. Each has one: the join is an outer one only so that a database may leave it
    /// out when nothing of the company is selected.
    pub fn all() -> DeveloperQuery {
        let company = (
            companies::id.nullable().assume_not_null(),
            companies::name.nullable().assume_not_null(),
            companies::founded_year.nullable().assume_not_null(),
        );
        let columns = (
            developers::id,
            developers::name,
            company,
            developers::years_experience,
            developers::last_login,
            developers::created_at,
            developers::updated_at,
        );
        developers::table
            .left_join(companies::table)
            .select(columns)
            .into_boxed()
    }

    /// Every developer, with an empty company in place of its own, for whoever does not look at it.
    pub fn all_without_company() -> DeveloperQuery {
        let no_company = (
            0_i64.into_sql::<BigInt>(),
            "".into_sql::<Text>(),
            0.into_sql::<Integer>(),
        );
        Self::all().select((
            developers::id,
            developers::name,
            no_company,
            developers::years_experience,
            developers::last_login,
            developers::created_at,
            developers::updated_at,
        ))
    }

    /// # Errors
    /// Those of the statement.
    pub fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
        Self::find_among(conn, Self::all(), id)
    }

    /// The one of that id among those of the query.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn find_among(
        conn: &mut DbConnection,
        query: DeveloperQuery,
        id: i64,
    ) -> QueryResult<Option<Self>> {
        query.filter(developers::id.eq(id)).first(conn).optional()
    }

    /// The greatest id there is, 0 when there is none.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn last_id(conn: &mut DbConnection) -> QueryResult<i64> {
        let last: Option<i64> = developers::table
            .select(developers::id)
            .order(developers::id.desc())
            .first(conn)
            .optional()?;
        Ok(last.unwrap_or(0))
    }

    /// Stores every field of the row; of the company, that it is this one.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn update(&self, conn: &mut DbConnection) -> QueryResult<()> {
        diesel::update(developers::table.find(self.id))
            .set((
                developers::name.eq(&self.name),
                developers::name_key.eq(fold(&self.name)),
                developers::name_words.eq(joined_words(&self.name)),
                developers::company_id.eq(self.company.id),
                developers::years_experience.eq(self.years_experience),
                developers::last_login.eq(self.last_login),
                developers::created_at.eq(self.created_at),
                developers::updated_at.eq(self.updated_at),
            ))
            .execute(conn)
            .map(|_| ())
    }

    /// Gives each developer its skills, sorted by name, in one statement for all.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn with_skills(
        conn: &mut DbConnection,
        developers: Vec<Self>,
    ) -> QueryResult<Vec<(Self, Vec<Skill>)>> {
        if developers.is_empty() {
            return Ok(Vec::new());
        }
        let links: Vec<(DeveloperSkill, Skill)> = DeveloperSkill::belonging_to(Batch(&developers))
            .inner_join(skills::table)
            .select((DeveloperSkill::as_select(), Skill::as_select()))
            .load(conn)?;
        let grouped = links.grouped_by(&developers);
        Ok(developers
            .into_iter()
            .zip(grouped)
            .map(|(developer, links)| {
                let mut skills: Vec<Skill> = links.into_iter().map(|(_, skill)| skill).collect();
                skills.sort_unstable_by(|one, other| one.name.cmp(&other.name));
                (developer, skills)
            })
            .collect())
    }
}

/// A developer to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = developers)]
pub struct NewDeveloper {
    pub id: Option<i64>,
    pub name: String,
    pub company_id: i64,
    pub years_experience: i32,
    pub last_login: Option<Stamp>,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl NewDeveloper {
    /// # Errors
    /// Those of the statement.
    pub fn insert(&self, conn: &mut DbConnection) -> QueryResult<i64> {
        let name_key = developers::name_key.eq(fold(&self.name));
        let name_words = developers::name_words.eq(joined_words(&self.name));
        insert_row!(conn, developers, (self, &name_key, &name_words))
    }
}
