use std::sync::Arc;

use diesel::{dsl, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;

use super::{insert::insert_row, stored::stored};
use crate::{
    db::{Backend, DbConnection, schema::skills},
    query::{Condition, Field, HasWord, Listed, Name, WordIndex},
    rules,
    text::{fold, joined_words, trim},
};

/// Something that a developer can do and a project can need.
///
/// ```json
/// {"id": 3, "name": "Rust", "category": "programming"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = skills)]
pub struct Skill {
    pub id: i64,
    pub name: String,
    pub category: String,
}

/// A boxed query for skills: filters and orders can be added without changing its type.
pub type SkillQuery =
    dsl::IntoBoxed<'static, dsl::Select<skills::table, dsl::AsSelect<Skill, Backend>>, Backend>;

stored!(Skill, skills);

impl Skill {
    pub const NAME_MAX: usize = 100;
    pub const CATEGORY_MAX: usize = 50;
    /// Separates names in import files, so no name may contain it.
    pub const SEPARATOR: char = ';';

    pub fn all() -> SkillQuery {
        skills::table.select(Self::as_select()).into_boxed()
    }

    /// Finds by name, in any letter case.
    pub fn named(conn: &mut DbConnection, name: &str) -> QueryResult<Option<Self>> {
        skills::table
            .filter(skills::name_key.eq(fold(name)))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }
}

impl Skill {
    /// Skills of a filter at most.
    pub const REFERENCES_MAX: usize = 100;

    /// Reads names and ids with commas between them; `None` when one is missing or no number of an id, or when there are too
    /// many.
    pub fn references(text: &str) -> Option<Vec<Name>> {
        let one = |text: &str| {
            let is_missing = trim(text).is_empty() || text.contains('\0');
            Name::read_or_id(text).ok().filter(|_| !is_missing)
        };
        let names: Vec<Name> = text.split(',').map(one).collect::<Option<_>>()?;
        (names.len() <= Self::REFERENCES_MAX).then_some(names)
    }

    /// # Errors
    /// The message for a name that no skill can have.
    pub fn check_name(text: &str) -> Result<String, String> {
        let name = rules::text(text, Self::NAME_MAX)?;
        if name.contains(Self::SEPARATOR) {
            return Err(format!(
                "A skill's name may not contain \"{}\".",
                Self::SEPARATOR
            ));
        }
        Ok(name)
    }
}

/// The words of skills' names.
pub(super) const SKILL_NAMES: WordIndex = WordIndex {
    table: "skills",
    of_sqlite: "name_words : ",
    of_postgres: "name_words",
};
/// The words of skills' names and categories.
const SKILL_TEXTS: WordIndex = WordIndex {
    table: "skills",
    of_sqlite: "",
    of_postgres: "name_words || ' ' || category_words",
};

impl Listed for Skill {
    type Source = skills::table;
    type Query = SkillQuery;

    const NAME: &'static str = "Skill";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(skills::id))
            .filtered()
            .sorted_int(|row| row.id),
        Field::text("name", || Arc::new(skills::name))
            .filtered_folded(|| Arc::new(skills::name_key))
            .sorted_text(|row| row.name.clone()),
        Field::text("category", || Arc::new(skills::category))
            .filtered_folded(|| Arc::new(skills::category_key))
            .sorted_text(|row| row.category.clone()),
    ];
    const DEFAULT_ORDER: &'static str = "name";

    const HAS_WORD: Option<fn(&str) -> Condition> = Some(|word| {
        Condition::Among(
            Arc::new(skills::id),
            vec![HasWord::new("", SKILL_TEXTS, word, "")],
        )
    });
}

/// The writable columns of a skill, for an insert or an update.
#[derive(Debug, Clone, Default, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = skills)]
pub struct SkillDraft {
    pub name: String,
    pub category: String,
}

/// The columns that are computed from others: folded texts and their words.
type Made = (
    dsl::Eq<skills::name_key, String>,
    dsl::Eq<skills::name_words, String>,
    dsl::Eq<skills::category_key, String>,
    dsl::Eq<skills::category_words, String>,
);

impl SkillDraft {
    /// Inserts the row and returns its id. The database chooses the id unless one is given.
    pub fn insert(&self, conn: &mut DbConnection, id: Option<i64>) -> QueryResult<i64> {
        insert_row!(conn, skills, id, (self, self.made()))
    }

    pub fn update(&self, conn: &mut DbConnection, id: i64) -> QueryResult<()> {
        diesel::update(skills::table.find(id))
            .set((self, self.made()))
            .execute(conn)
            .map(|_| ())
    }

    fn made(&self) -> Made {
        (
            skills::name_key.eq(fold(&self.name)),
            skills::name_words.eq(joined_words(&self.name)),
            skills::category_key.eq(fold(&self.category)),
            skills::category_words.eq(joined_words(&self.category)),
        )
    }
}

impl From<Skill> for SkillDraft {
    fn from(skill: Skill) -> Self {
        let Skill {
            id: _,
            name,
            category,
        } = skill;
        Self { name, category }
    }
}
