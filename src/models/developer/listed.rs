//! The filters, orders and search of lists of developers.

use std::sync::Arc;

use diesel::{
    QueryResult,
    query_builder::{AstPass, QueryFragment},
};

use super::{Developer, DeveloperQuery, Source};
use crate::{
    db::{
        Backend,
        schema::{companies, developer_skills, developers, skills},
    },
    models::{company::COMPANY_NAMES, skill::SKILL_NAMES},
    query::{
        Column, Condition, Field, HasWord, Linked, Links, Listed, Objects, Relation, TwoWays,
        WordIndex,
    },
};

/// A developer's links to skills; see [`Field::of`].
pub(super) const LINKS: Relation = Relation {
    exists: "EXISTS (SELECT 1 FROM developer_skills WHERE developer_skills.developer_id = developers.id AND ",
    select: "SELECT developer_skills.developer_id FROM developer_skills WHERE ",
    column: || Arc::new(developers::id),
    linked: None,
};
/// A developer's skills.
pub(super) const SKILLS: Relation = Relation {
    linked: Some(Linked {
        select: "SELECT skills.id FROM skills WHERE ",
        sought: || Arc::new(developer_skills::skill_id),
        checked: || Arc::new(developer_skills::skill_id + 0),
    }),
    ..LINKS
};
/// A developer's skills, as filters name them.
pub(super) static NAMED_SKILLS: Links = Links {
    objects: &Objects {
        table: "skills",
        id: || Arc::new(skills::id),
        key: || Arc::new(skills::name_key),
        links: Some("SELECT 1 FROM developer_skills WHERE developer_skills.skill_id = skills.id"),
    },
    relation: LINKS,
    count: "(SELECT count(*) FROM developer_skills WHERE developer_skills.developer_id = developers.id AND ",
    object: || Arc::new(developer_skills::skill_id),
    checked: || Arc::new(developer_skills::skill_id + 0),
};
/// Companies, as filters name them.
static NAMED_COMPANIES: Objects = Objects {
    table: "companies",
    id: || Arc::new(companies::id),
    key: || Arc::new(companies::name_key),
    links: None,
};

/// The words of developers' own names.
const DEVELOPER_NAMES: WordIndex = WordIndex {
    table: "developers",
    of_sqlite: "",
    of_postgres: "name_words",
};

/// The words of a developer's own name, each with a space before it.
struct SpacedWords;

impl QueryFragment<Backend> for SpacedWords {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("(' ' || developers.name_words)");
        Ok(())
    }
}

impl Listed for Developer {
    type Source = Source;
    type Query = DeveloperQuery;

    const NAME: &'static str = "Developer";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(developers::id))
            .filtered()
            .sorted_int(|row| row.id),
        Field::text("name", || Arc::new(developers::name))
            .filtered_folded(|| Arc::new(developers::name_key))
            .sorted_text(|row| row.name.clone()),
        Field::int("years_experience", || {
            Arc::new(developers::years_experience)
        })
        .filtered()
        .sorted_int(|row| row.years_experience.into()),
        Field::time("last_login", || Arc::new(developers::last_login))
            .filtered()
            .nullable()
            .sorted_time(|row| row.last_login),
        Field::time("created_at", || Arc::new(developers::created_at))
            .filtered()
            .sorted_time(|row| Some(row.created_at)),
        Field::time("updated_at", || Arc::new(developers::updated_at))
            .filtered()
            .sorted_time(|row| Some(row.updated_at)),
        Field::int("company", || Arc::new(developers::company_id))
            .filtered()
            .names(&NAMED_COMPANIES),
        Field::text("company__name", || Arc::new(companies::name))
            .filtered_folded(|| Arc::new(companies::name_key)),
        Field::int("company__founded_year", || {
            Arc::new(companies::founded_year)
        })
        .filtered(),
        Field::int("skills", || Arc::new(developer_skills::skill_id))
            .filtered()
            .of(LINKS),
        Field::text("skills__name", || Arc::new(skills::name))
            .filtered_folded(|| Arc::new(skills::name_key))
            .of(SKILLS),
        Field::text("skills__category", || Arc::new(skills::category))
            .filtered_folded(|| Arc::new(skills::category_key))
            .of(SKILLS),
    ];
    const DEFAULT_ORDER: &'static str = "-created_at";
    const HAS_WORD: Option<fn(&str) -> Condition> = Some(Self::has_word);
}

impl Developer {
    /// Condition: a word of the developer's name, of the company's or of a skill's begins with this word.
    fn has_word(word: &str) -> Condition {
        let own = HasWord::new("", DEVELOPER_NAMES, word, "");
        let of_company = HasWord::new("", COMPANY_NAMES, word, "");
        let of_skills = HasWord::new("", SKILL_NAMES, word, "");
        // The sum keeps the index by skills out of it: see `Linked::checked`.
        let linked = Condition::Among(Arc::new(developer_skills::skill_id + 0), vec![of_skills]);
        let check = Condition::Any(vec![
            // Each word has a space before it, so this matches only beginnings of words.
            Condition::Contains(Arc::new(SpacedWords), format!("% {word}%")),
            Condition::Among(Arc::new(developers::company_id), vec![of_company]),
            Condition::Related(LINKS.exists, Box::new(linked)),
        ]);
        let by_company = HasWord::new(
            "SELECT id FROM developers WHERE company_id IN (",
            COMPANY_NAMES,
            word,
            ")",
        );
        let by_skills = "SELECT developer_id FROM developer_skills WHERE skill_id IN (";
        let selects: Vec<Column> = vec![
            own,
            by_company,
            HasWord::new(by_skills, SKILL_NAMES, word, ")"),
        ];
        Condition::Either(Box::new(TwoWays {
            column: Arc::new(developers::id),
            selects,
            check,
        }))
    }
}
