use std::sync::Arc;

use diesel::{dsl, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;

use super::{insert::insert_row, stored::stored};
use crate::{
    db::{Backend, DbConnection, Stamp, schema::companies},
    query::{Condition, Field, HasWord, Listed, WordIndex},
    text::{fold, joined_words},
};

/// An employer.
///
/// ```json
/// {"id": 1, "name": "Acme", "founded_year": 1999, "created_at": "2026-11-20T08:15:30.123456Z", "updated_at": "2026-11-20T08:15:30.123456Z"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = companies)]
pub struct Company {
    pub id: i64,
    pub name: String,
    pub founded_year: i32,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

/// The part of a company that its developers show.
///
/// ```json
/// {"id": 1, "name": "Acme", "founded_year": 1999}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Serialize, ToSchema)]
pub struct CompanyBrief {
    pub id: i64,
    pub name: String,
    pub founded_year: i32,
}

/// A boxed query for companies: filters and orders can be added without changing its type.
pub type CompanyQuery = dsl::IntoBoxed<
    'static,
    dsl::Select<companies::table, dsl::AsSelect<Company, Backend>>,
    Backend,
>;

stored!(Company, companies);

impl Company {
    pub const NAME_MAX: usize = 200;
    pub const FOUNDED_YEAR_MIN: i64 = 1000;

    pub fn all() -> CompanyQuery {
        companies::table.select(Self::as_select()).into_boxed()
    }

    /// Finds by name, in any letter case.
    pub fn named(conn: &mut DbConnection, name: &str) -> QueryResult<Option<Self>> {
        companies::table
            .filter(companies::name_key.eq(fold(name)))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }
}

/// The words of companies' names.
pub(super) const COMPANY_NAMES: WordIndex = WordIndex {
    table: "companies",
    of_sqlite: "",
    of_postgres: "name_words",
};

impl Listed for Company {
    type Source = companies::table;
    type Query = CompanyQuery;

    const NAME: &'static str = "Company";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(companies::id))
            .filtered()
            .sorted_int(|row| row.id),
        Field::text("name", || Arc::new(companies::name))
            .filtered_folded(|| Arc::new(companies::name_key))
            .sorted_text(|row| row.name.clone()),
        Field::int("founded_year", || Arc::new(companies::founded_year))
            .filtered()
            .sorted_int(|row| row.founded_year.into()),
        Field::time("created_at", || Arc::new(companies::created_at))
            .filtered()
            .sorted_time(|row| Some(row.created_at)),
        Field::time("updated_at", || Arc::new(companies::updated_at))
            .filtered()
            .sorted_time(|row| Some(row.updated_at)),
    ];
    const DEFAULT_ORDER: &'static str = "-created_at";

    const HAS_WORD: Option<fn(&str) -> Condition> = Some(|word| {
        Condition::Among(
            Arc::new(companies::id),
            vec![HasWord::new("", COMPANY_NAMES, word, "")],
        )
    });
}

/// The writable columns of a company, for an insert or an update.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = companies)]
pub struct CompanyDraft {
    pub name: String,
    pub founded_year: i32,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl CompanyDraft {
    pub fn new(now: Stamp) -> Self {
        Self {
            name: String::new(),
            founded_year: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// Inserts the row and returns its id. The database chooses the id unless one is given.
    pub fn insert(&self, conn: &mut DbConnection, id: Option<i64>) -> QueryResult<i64> {
        insert_row!(conn, companies, id, (self, self.made()))
    }

    pub fn update(&self, conn: &mut DbConnection, id: i64) -> QueryResult<()> {
        diesel::update(companies::table.find(id))
            .set((self, self.made()))
            .execute(conn)
            .map(|_| ())
    }

    /// The columns that are computed from others: the folded name and its words.
    fn made(
        &self,
    ) -> (
        dsl::Eq<companies::name_key, String>,
        dsl::Eq<companies::name_words, String>,
    ) {
        (
            companies::name_key.eq(fold(&self.name)),
            companies::name_words.eq(joined_words(&self.name)),
        )
    }
}

impl From<Company> for CompanyDraft {
    fn from(company: Company) -> Self {
        let Company {
            id: _,
            name,
            founded_year,
            created_at,
            updated_at,
        } = company;
        Self {
            name,
            founded_year,
            created_at,
            updated_at,
        }
    }
}
