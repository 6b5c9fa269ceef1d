mod conditions;
mod links;
mod listed;

use std::collections::HashMap;

use diesel::{
    dsl,
    prelude::*,
    sql_types::{BigInt, Integer, Text},
};

pub use self::{conditions::DeveloperScopes, links::DeveloperSkill};
use super::{CompanyBrief, UserBrief, insert::insert_row, one_of::OneOf, stored::stored};
use crate::{
    db::{
        Backend, DbConnection, Stamp,
        schema::{companies, developers, users},
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
    /// The account that is this developer's.
    pub user: Option<UserBrief>,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

type Source = dsl::LeftJoinQuerySource<
    dsl::LeftJoinQuerySource<developers::table, companies::table>,
    users::table,
>;

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
    dsl::Nullable<(users::id, users::username)>,
    developers::created_at,
    developers::updated_at,
);

/// A query for developers that goes on being one, whatever is added to it.
pub type DeveloperQuery = dsl::IntoBoxed<
    'static,
    dsl::Select<
        dsl::LeftJoin<dsl::LeftJoin<developers::table, companies::table>, users::table>,
        Columns,
    >,
    Backend,
>;

stored!(Developer, developers);

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
            (users::id, users::username).nullable(),
            developers::created_at,
            developers::updated_at,
        );
        developers::table
            .left_join(companies::table)
            .left_join(users::table)
            .select(columns)
            .into_boxed()
    }

    /// Every developer, with an empty company in place of its own, for callers that do not show it.
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
            (users::id, users::username).nullable(),
            developers::created_at,
            developers::updated_at,
        ))
    }

    /// The developers of these users, by user.
    pub fn ids_of_users(conn: &mut DbConnection, users: &[i64]) -> QueryResult<HashMap<i64, i64>> {
        if users.is_empty() {
            return Ok(HashMap::new());
        }
        let found: Vec<(Option<i64>, i64)> = developers::table
            .filter(OneOf::ids(developers::user_id.assume_not_null(), users))
            .select((developers::user_id, developers::id))
            .load(conn)?;
        let found = found.into_iter();
        Ok(found.filter_map(|(user, id)| Some((user?, id))).collect())
    }

    /// The developer whose account this is.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn id_of_user(conn: &mut DbConnection, user_id: i64) -> QueryResult<Option<i64>> {
        developers::table
            .filter(developers::user_id.eq(user_id))
            .select(developers::id)
            .first(conn)
            .optional()
    }

    /// # Errors
    /// Those of the statement.
    pub fn ids_of_company(conn: &mut DbConnection, company_id: i64) -> QueryResult<Vec<i64>> {
        developers::table
            .filter(developers::company_id.eq(company_id))
            .select(developers::id)
            .order(developers::id)
            .load(conn)
    }

    /// Notes that something of the developer has changed.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn touch(conn: &mut DbConnection, id: i64, now: Stamp) -> QueryResult<()> {
        diesel::update(developers::table.find(id))
            .set(developers::updated_at.eq(now))
            .execute(conn)
            .map(|_| ())
    }
}

/// A developer to be, or what one is to become. The skills go their own way.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = developers, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct DeveloperDraft {
    pub name: String,
    pub company_id: i64,
    pub years_experience: i32,
    pub last_login: Option<Stamp>,
    pub user_id: Option<i64>,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl DeveloperDraft {
    pub fn new(now: Stamp) -> Self {
        Self {
            name: String::new(),
            company_id: 0,
            years_experience: 0,
            last_login: None,
            user_id: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// `id` is the database's to choose unless it is given.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn insert(&self, conn: &mut DbConnection, id: Option<i64>) -> QueryResult<i64> {
        insert_row!(conn, developers, id, (self, self.made()))
    }

    /// # Errors
    /// Those of the statement.
    pub fn update(&self, conn: &mut DbConnection, id: i64) -> QueryResult<()> {
        diesel::update(developers::table.find(id))
            .set((self, self.made()))
            .execute(conn)
            .map(|_| ())
    }

    /// The columns that are made of others.
    fn made(
        &self,
    ) -> (
        dsl::Eq<developers::name_key, String>,
        dsl::Eq<developers::name_words, String>,
    ) {
        (
            developers::name_key.eq(fold(&self.name)),
            developers::name_words.eq(joined_words(&self.name)),
        )
    }
}

impl From<Developer> for DeveloperDraft {
    fn from(developer: Developer) -> Self {
        let Developer {
            id: _,
            name,
            company,
            years_experience,
            last_login,
            user,
            created_at,
            updated_at,
        } = developer;
        Self {
            name,
            company_id: company.id,
            years_experience,
            last_login,
            user_id: user.map(|user| user.id),
            created_at,
            updated_at,
        }
    }
}
