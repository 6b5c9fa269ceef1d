use std::sync::Arc;

use diesel::{dsl, prelude::*};

use super::insert::insert_row;
use crate::{
    db::{Backend, DbConnection, schema::skills},
    query::{Condition, Field, HasWord, Listed, Value, WordIndex},
    rules,
    text::{fold, joined_words},
};

/// Something a developer can do and a project can need.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = skills)]
pub struct Skill {
    pub id: i64,
    pub name: String,
    pub category: String,
}

/// A query for skills that goes on being one, whatever is added to it.
pub type SkillQuery =
    dsl::IntoBoxed<'static, dsl::Select<skills::table, dsl::AsSelect<Skill, Backend>>, Backend>;

impl Skill {
    pub const NAME_MAX: usize = 100;
    pub const CATEGORY_MAX: usize = 50;
    /// Separates the names in an import file, so no name may hold it.
    pub const SEPARATOR: char = ';';

    pub fn all() -> SkillQuery {
        skills::table.select(Self::as_select()).into_boxed()
    }

    /// # Errors
    /// Those of the statement.
    pub fn find(conn: &mut DbConnection, id: i64) -> QueryResult<Option<Self>> {
        skills::table
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
        skills::table
            .filter(skills::name_key.eq(fold(name)))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }
}

impl Skill {
    /// # Errors
    /// The message for text that cannot be a skill's name.
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

    /// Stores every field of the row.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn update(&self, conn: &mut DbConnection) -> QueryResult<()> {
        diesel::update(skills::table.find(self.id))
            .set((
                skills::name.eq(&self.name),
                skills::name_key.eq(fold(&self.name)),
                skills::name_words.eq(joined_words(&self.name)),
                skills::category.eq(&self.category),
                skills::category_key.eq(fold(&self.category)),
                skills::category_words.eq(joined_words(&self.category)),
            ))
            .execute(conn)
            .map(|_| ())
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
        Field::int("id", || Arc::new(skills::id)).sorted_int(|row| row.id),
        Field::text("name", || Arc::new(skills::name))
            .filtered_folded(|| Arc::new(skills::name_key))
            .sorted_text(|row| row.name.clone()),
        Field::text("category", || Arc::new(skills::category))
            .filtered_folded(|| Arc::new(skills::category_key))
            .sorted_text(|row| row.category.clone()),
    ];
    const DEFAULT_ORDER: &'static str = "name";

    fn has_word(word: &str) -> Condition {
        Condition::Among(
            Arc::new(skills::id),
            vec![HasWord::new("", SKILL_TEXTS, word, "")],
        )
    }
}

/// A skill as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkillRef {
    Id(i64),
    /// In any letter case.
    Name(String),
}

impl SkillRef {
    /// Skills of a list at most.
    pub const LIST_MAX: usize = 100;

    /// Reads names and ids with commas between them; `None` when one is missing, or when there are too many.
    pub fn list(text: &str) -> Option<Vec<Self>> {
        let skills: Vec<Self> = text
            .split(',')
            .map(str::trim)
            .map(Self::one)
            .collect::<Option<_>>()?;
        (skills.len() <= Self::LIST_MAX).then_some(skills)
    }

    fn one(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(_) if text.is_empty() || text.contains('\0') => None,
            Err(_) => Some(Self::Name(text.to_owned())),
        }
    }

    /// That the skill is this one.
    pub fn condition(self) -> Condition {
        match self {
            Self::Id(id) => Condition::Compare(Arc::new(skills::id), " = ", Value::Int(id)),
            Self::Name(name) => {
                Condition::Compare(Arc::new(skills::name_key), " = ", Value::Text(fold(&name)))
            }
        }
    }
}

/// A skill to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = skills)]
pub struct NewSkill {
    pub id: Option<i64>,
    pub name: String,
    pub name_key: String,
    pub name_words: String,
    pub category: String,
    pub category_key: String,
    pub category_words: String,
}

impl NewSkill {
    /// `id` is the database's to choose unless it is given.
    pub fn new(id: Option<i64>, name: String, category: String) -> Self {
        Self {
            id,
            name_key: fold(&name),
            name_words: joined_words(&name),
            name,
            category_key: fold(&category),
            category_words: joined_words(&category),
            category,
        }
    }

    /// # Errors
    /// Those of the statement.
    pub fn insert(&self, conn: &mut DbConnection) -> QueryResult<i64> {
        insert_row!(conn, skills, self)
    }
}
