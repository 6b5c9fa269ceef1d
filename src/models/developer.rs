use std::sync::Arc;

use diesel::{
    dsl,
    prelude::*,
    query_builder::{AstPass, QueryFragment},
    sql_types::{BigInt, Integer, Text},
};

use super::{
    CompanyBrief, Skill, SkillRef,
    batch::{Batch, InBatch},
    company::COMPANY_NAMES,
    insert::insert_row,
    skill::SKILL_NAMES,
};
use crate::{
    db::{
        Backend, DbConnection, Stamp,
        schema::{companies, developer_skills, developers, skills},
    },
    query::{
        Column, Condition, Field, HasWord, Listed, Relation, Select, TwoWays, Value, WordIndex,
        never_first,
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

/// That a developer has a skill. The link is the pair.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable, Identifiable, Associations, Insertable,
)]
#[diesel(table_name = developer_skills, primary_key(developer_id, skill_id))]
#[diesel(belongs_to(Developer), belongs_to(Skill))]
pub struct DeveloperSkill {
    pub developer_id: i64,
    pub skill_id: i64,
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

impl Developer {
    /// Logged in within the [days](Self::ACTIVE_DAYS) before `now`.
    pub fn is_active(now: Stamp) -> Condition {
        let since = Value::Time(now.days_before(Self::ACTIVE_DAYS));
        let check = Condition::Compare(Arc::new(developers::last_login), " >= ", since.clone());
        let last_login = never_first(Arc::new(developers::last_login));
        let recent = Condition::Compare(last_login, " >= ", since);
        let select = Arc::new(Select("SELECT id FROM developers WHERE ", recent));
        Condition::Either(Box::new(TwoWays {
            column: Arc::new(developers::id),
            selects: vec![select],
            check,
        }))
    }

    /// Not [active](Self::is_active): a login long ago, or none.
    pub fn is_inactive(now: Stamp) -> Condition {
        let since = Value::Time(now.days_before(Self::ACTIVE_DAYS));
        Condition::Any(vec![
            Condition::Null(Arc::new(developers::last_login)),
            Condition::Compare(Arc::new(developers::last_login), " < ", since),
        ])
    }

    /// With [that many years](Self::SENIOR_YEARS) of experience or more.
    pub fn is_senior() -> Condition {
        // The sum keeps the index of the years out of it: most are senior, so walking in the list's order is quicker.
        let years = Arc::new(developers::years_experience + 0);
        Condition::Compare(years, " >= ", Value::Int(Self::SENIOR_YEARS))
    }

    /// Has the skill.
    pub fn has(skill: SkillRef) -> Condition {
        Condition::related(SKILLS, skill.condition())
    }

    /// Has `count` of the skills or more.
    pub fn has_at_least(count: u32, skills: Vec<SkillRef>) -> Condition {
        let any = skills.into_iter().map(SkillRef::condition).collect();
        Condition::RelatedAtLeast(COUNT_SKILLS, Box::new(Condition::Any(any)), count)
    }
}

/// Named conditions, to be chained in any combination and order.
pub trait DeveloperScopes: Sized {
    /// See [`Developer::is_active`].
    fn active(self, now: Stamp) -> Self;
    /// See [`Developer::is_inactive`].
    fn inactive(self, now: Stamp) -> Self;
    /// See [`Developer::is_senior`].
    fn senior(self) -> Self;
    /// Not a [`senior`](Self::senior).
    fn junior(self) -> Self;
    /// Has the skill of that name, in any letter case.
    fn by_skill(self, name: &str) -> Self;
    /// Has the skill of that id.
    fn with_skill(self, id: i64) -> Self;
    /// Works for the company of that id.
    fn of_company(self, id: i64) -> Self;
}

impl DeveloperScopes for DeveloperQuery {
    fn active(self, now: Stamp) -> Self {
        self.filter(Developer::is_active(now).of())
    }

    fn inactive(self, now: Stamp) -> Self {
        self.filter(Developer::is_inactive(now).of())
    }

    fn senior(self) -> Self {
        self.filter(Developer::is_senior().of())
    }

    fn junior(self) -> Self {
        self.filter(Developer::is_senior().negated().of())
    }

    fn by_skill(self, name: &str) -> Self {
        self.filter(Developer::has(SkillRef::Name(name.to_owned())).of())
    }

    fn with_skill(self, id: i64) -> Self {
        self.filter(Developer::has(SkillRef::Id(id)).of())
    }

    fn of_company(self, id: i64) -> Self {
        self.filter(developers::company_id.eq(id))
    }
}

impl<'a> BelongingToDsl<Batch<'a, Developer>> for DeveloperSkill {
    type Output = dsl::Filter<developer_skills::table, InBatch<developer_skills::developer_id>>;

    fn belonging_to(Batch(developers): Batch<'a, Developer>) -> Self::Output {
        let ids = developers.iter().map(|developer| developer.id);
        developer_skills::table.filter(InBatch::new(developer_skills::developer_id, ids))
    }
}

/// A developer's links to skills; see [`Field::of`].
const LINKS: Relation = Relation {
    exists: "EXISTS (SELECT 1 FROM developer_skills WHERE developer_skills.developer_id = developers.id AND ",
    select: "SELECT developer_skills.developer_id FROM developer_skills WHERE ",
    column: || Arc::new(developers::id),
};
/// A developer's skills.
const SKILLS: Relation = Relation {
    exists: "EXISTS (SELECT 1 FROM developer_skills INNER JOIN skills ON skills.id = developer_skills.skill_id \
             WHERE developer_skills.developer_id = developers.id AND ",
    select: "SELECT developer_skills.developer_id FROM developer_skills \
             INNER JOIN skills ON skills.id = developer_skills.skill_id WHERE ",
    column: || Arc::new(developers::id),
};
const COUNT_SKILLS: &str = "(SELECT count(*) FROM developer_skills INNER JOIN skills ON skills.id = developer_skills.skill_id \
                            WHERE developer_skills.developer_id = developers.id AND ";

/// The words of developers' own names.
const DEVELOPER_NAMES: WordIndex = WordIndex {
    table: "developers",
    of_sqlite: "",
    of_postgres: "name_words",
};

/// A developer's own words, a space before each.
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
        Field::int("id", || Arc::new(developers::id)).sorted_int(|row| row.id),
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
        Field::int("company", || Arc::new(developers::company_id)).filtered(),
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

    fn has_word(word: &str) -> Condition {
        let own = HasWord::new("", DEVELOPER_NAMES, word, "");
        let of_company = HasWord::new("", COMPANY_NAMES, word, "");
        let of_skills = HasWord::new("", SKILL_NAMES, word, "");
        let linked = Condition::Among(Arc::new(developer_skills::skill_id), vec![of_skills]);
        let check = Condition::Any(vec![
            // A space stands before each word, so this is the beginning of one.
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

impl DeveloperSkill {
    /// Gives the developer these skills, none of which it has.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn link(conn: &mut DbConnection, developer_id: i64, skills: &[i64]) -> QueryResult<()> {
        let links = skills.iter().map(|&skill_id| Self {
            developer_id,
            skill_id,
        });
        match conn {
            // Within a transaction, rows one by one through one prepared statement are SQLite's fastest way.
            DbConnection::Sqlite(conn) => {
                for link in links {
                    diesel::insert_into(developer_skills::table)
                        .values(link)
                        .execute(conn)?;
                }
            }
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(conn) => {
                diesel::insert_into(developer_skills::table)
                    .values(links.collect::<Vec<_>>())
                    .execute(conn)?;
            }
        }
        Ok(())
    }

    /// Gives the developer exactly these skills, which are sorted and distinct, by the difference to those it has.
    /// Returns whether there was any.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn replace(
        conn: &mut DbConnection,
        developer_id: i64,
        skills: &[i64],
    ) -> QueryResult<bool> {
        let of_developer =
            developer_skills::table.filter(developer_skills::developer_id.eq(developer_id));
        let old: Vec<i64> = of_developer.select(developer_skills::skill_id).load(conn)?;
        let gone: Vec<i64> = old
            .iter()
            .copied()
            .filter(|id| skills.binary_search(id).is_err())
            .collect();
        let added: Vec<i64> = skills
            .iter()
            .copied()
            .filter(|id| !old.contains(id))
            .collect();
        if !gone.is_empty() {
            diesel::delete(of_developer.filter(developer_skills::skill_id.eq_any(&gone)))
                .execute(conn)?;
        }
        Self::link(conn, developer_id, &added)?;
        Ok(!gone.is_empty() || !added.is_empty())
    }
}
