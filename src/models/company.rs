use std::sync::Arc;

use diesel::{dsl, prelude::*};

use super::insert::insert_row;
use crate::{
    db::{Backend, DbConnection, Stamp, schema::companies},
    query::{Condition, Field, HasWord, Listed, WordIndex},
    text::{fold, joined_words},
};

/// An employer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = companies)]
pub struct Company {
    pub id: i64,
    pub name: String,
    pub founded_year: i32,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

/// What a developer shows of its company.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct CompanyBrief {
    pub id: i64,
    pub name: String,
    pub founded_year: i32,
}

/// A query for companies that goes on being one, whatever is added to it.
pub type CompanyQuery = dsl::IntoBoxed<
    'static,
    dsl::Select<companies::table, dsl::AsSelect<Company, Backend>>,
    Backend,
>;

impl Company {
    pub const NAME_MAX: usize = 200;
    pub const FOUNDED_YEAR_MIN: i64 = 1000;

    pub fn all() -> CompanyQuery {
        companies::table.select(Self::as_select()).into_boxed()
    }

    /// # Errors
    /// Those of the statement.
    pub fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
        companies::table
            .find(id)
            .select(Self::as_select())
            .first(conn)
            .optional()
    }

    /// Finds by name, in any letter case.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn named(conn: &mut DbConnection, name: &str) -> QueryResult<Option<Self>> {
        companies::table
            .filter(companies::name_key.eq(fold(name)))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }
}

impl Company {
    /// Stores every field of the row.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn update(&self, conn: &mut DbConnection) -> QueryResult<()> {
        diesel::update(companies::table.find(self.id))
            .set((
                companies::name.eq(&self.name),
                companies::name_key.eq(fold(&self.name)),
                companies::name_words.eq(joined_words(&self.name)),
                companies::founded_year.eq(self.founded_year),
                companies::created_at.eq(self.created_at),
                companies::updated_at.eq(self.updated_at),
            ))
            .execute(conn)
            .map(|_| ())
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
        Field::int("id", || Arc::new(companies::id)).sorted_int(|row| row.id),
        Field::text("name", || Arc::new(companies::name))
            .filtered_folded(|| Arc::new(companies::name_key))
            .sorted_text(|row| row.name.clone()),
        Field::int("founded_year", || Arc::new(companies::founded_year))
            .filtered()
            .sorted_int(|row| row.founded_year.into()),
        Field::time("created_at", || Arc::new(companies::created_at))
            .sorted_time(|row| Some(row.created_at)),
    ];
    const DEFAULT_ORDER: &'static str = "-created_at";

    fn has_word(word: &str) -> Condition {
        Condition::Among(
            Arc::new(companies::id),
            vec![HasWord::new("", COMPANY_NAMES, word, "")],
        )
    }
}

/// A company to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = companies)]
pub struct NewCompany {
    pub id: Option<i64>,
    pub name: String,
    pub name_key: String,
    pub name_words: String,
    pub founded_year: i32,
    pub created_at: Stamp,
    pub updated_at: Stamp,
}

impl NewCompany {
    /// `id` is the database's to choose unless it is given.
    pub fn new(id: Option<i64>, name: String, founded_year: i32, created_at: Stamp) -> Self {
        Self {
            id,
            name_key: fold(&name),
            name_words: joined_words(&name),
            name,
            founded_year,
            created_at,
            updated_at: created_at,
        }
    }

    /// # Errors
    /// Those of the statement.
    pub fn insert(&self, conn: &mut DbConnection) -> QueryResult<i64> {
        insert_row!(conn, companies, self)
    }
}
