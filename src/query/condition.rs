//! Conditions on a row, as SQL.

use diesel::{
    QueryResult, RunQueryDsl as _,
    query_builder::{AstPass, QueryFragment},
    result::Error::QueryBuilderError,
    sql_types::{BigInt, Bool, Text, Timestamp},
};
use std::{marker::PhantomData, sync::Arc};

use super::{
    Relation, Value,
    expression::expression,
    named::{Found as FoundNames, Named},
};
use crate::db::{Backend, DbConnection};

/// A column, or an expression in its place.
pub type Column = Arc<dyn QueryFragment<Backend> + Send + Sync>;

/// A condition that a row of a list must satisfy.
#[derive(Clone)]
pub enum Condition {
    /// A comparison with one of SQL's operators.
    Compare(Column, &'static str, Value),
    /// Equal to one of the values, of which there is at least one.
    In(Column, Vec<Value>),
    Null(Column),
    /// The text contains this.
    Contains(Column, String),
    /// At least one related row satisfies the condition (EXISTS).
    Related(&'static str, Box<Self>),
    /// One of the sub-selects finds the column's value.
    Among(Column, Vec<Column>),
    /// One of two ways to the same answer; see [`settled`](Self::settled).
    Either(Box<TwoWays>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// At least that many related rows satisfy the condition.
    RelatedAtLeast(&'static str, Box<Self>, usize),
    /// It names objects, which are looked up when it is [`settled`](Self::settled).
    Named(Named),
}

/// A condition with two query plans; which is faster depends on the number of rows that satisfy it.
#[derive(Clone)]
pub struct TwoWays {
    /// The column that the sub-selects find, when the rows are few.
    pub column: Column,
    /// The sub-selects that find the rows through an index.
    pub selects: Vec<Column>,
    /// The check of each row on a walk through the list's order, when the rows are many.
    pub check: Condition,
}

/// Up to so many rows are found and sorted faster than met on the walk. Measured with 100,000 developers: a row costs about 1.5 µs to
/// find and sort and 3 µs to check, so both ways take the same at some 2,300.
pub(super) const FEW: i64 = 2_000;

impl Condition {
    /// True if any related row satisfies the condition (EXISTS).
    pub fn related(relation: Relation, condition: Self) -> Self {
        let sought = relation.on(|objects| objects.sought, condition.clone());
        Self::Either(Box::new(TwoWays {
            column: (relation.column)(),
            selects: vec![Arc::new(Select(relation.select, sought))],
            check: relation.has(condition),
        }))
    }

    /// A condition that no row satisfies.
    pub fn never() -> Self {
        Self::Any(Vec::new())
    }

    fn is_never(&self) -> bool {
        matches!(self, Self::Any(conditions) if conditions.is_empty())
    }

    /// Whether a row is checked with a sub-select of its own.
    pub fn is_sub_select(&self) -> bool {
        match self {
            Self::Either(_) | Self::Related(..) | Self::RelatedAtLeast(..) => true,
            Self::Named(named) => !named.joins(),
            Self::Not(condition) => condition.is_sub_select(),
            _ => false,
        }
    }

    /// How many objects it names.
    pub fn names(&self) -> usize {
        match self {
            Self::Named(named) => named.names.len(),
            _ => 0,
        }
    }

    /// Looks up the named objects, and chooses between query plans by counting rows up to a bound. A count that is out of date by the time
    /// of the query costs time, never correctness.
    pub fn settled(self, conn: &mut DbConnection) -> QueryResult<Self> {
        let mut conditions = Vec::new();
        self.flatten(&mut conditions);
        let named = conditions.iter().filter_map(|condition| match condition {
            Self::Named(named) => Some(named),
            _ => None,
        });
        let found = FoundNames::load(conn, &named.collect::<Vec<_>>())?;
        for condition in &mut conditions {
            if let Self::Named(named) = condition {
                *condition = named.settled(&found);
            }
        }
        if conditions.iter().any(Self::is_never) {
            return Ok(Self::never());
        }
        let chosen = conditions
            .into_iter()
            .map(|condition| condition.chosen(conn));
        chosen.collect::<QueryResult<_>>().map(Self::All)
    }

    /// Adds the parts of an AND to `conditions`, and joins those that ask the same for other names.
    fn flatten(self, conditions: &mut Vec<Self>) {
        match self {
            Self::All(all) => all.into_iter().for_each(|one| one.flatten(conditions)),
            Self::Named(named) => {
                let joined = conditions.iter_mut().any(|known| match known {
                    Self::Named(known) => known.join(&named),
                    _ => false,
                });
                if !joined {
                    conditions.push(Self::Named(named));
                }
            }
            other => conditions.push(other),
        }
    }

    /// The faster of the two plans.
    fn chosen(self, conn: &mut DbConnection) -> QueryResult<Self> {
        let Self::Either(ways) = self else {
            return Ok(self);
        };
        let TwoWays {
            column,
            selects,
            check,
        } = *ways;
        let found: Found<_> = Found {
            selects: selects.clone(),
            source: PhantomData,
        };
        let count: i64 = diesel::select(found).get_result(conn)?;
        Ok(if count > FEW {
            check
        } else {
            Self::Among(column, selects)
        })
    }

    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// The text begins with `prefix`: a range, which an index answers.
    pub fn starts_with(column: fn() -> Column, prefix: String) -> Self {
        let end = after(&prefix);
        let from = Self::Compare(column(), " >= ", Value::Text(prefix));
        match end {
            Some(end) => Self::All(vec![from, Self::Compare(column(), " < ", Value::Text(end))]),
            None => from,
        }
    }

    /// The condition as an expression for a query that selects from `QS`.
    pub fn of<QS>(self) -> Where<QS> {
        Where {
            condition: self,
            source: PhantomData,
        }
    }

    pub(super) fn walk<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        match self {
            Self::Compare(column, operator, value) => {
                column.walk_ast(out.reborrow())?;
                out.push_sql(operator);
                value.bind(&mut out)
            }
            Self::In(column, values) => {
                column.walk_ast(out.reborrow())?;
                out.push_sql(" IN (");
                separated(out.reborrow(), ", ", values, |value, mut out| {
                    value.bind(&mut out)
                })?;
                out.push_sql(")");
                Ok(())
            }
            Self::Among(column, selects) => {
                column.walk_ast(out.reborrow())?;
                out.push_sql(" IN (");
                separated(out.reborrow(), " UNION ALL ", selects, |select, out| {
                    select.walk_ast(out)
                })?;
                out.push_sql(")");
                Ok(())
            }
            Self::Either(ways) => ways.check.walk(out),
            Self::Null(column) => {
                column.walk_ast(out.reborrow())?;
                out.push_sql(" IS NULL");
                Ok(())
            }
            Self::Contains(column, pattern) => {
                column.walk_ast(out.reborrow())?;
                out.push_sql(" LIKE ");
                out.push_bind_param::<Text, _>(pattern)?;
                out.push_sql(" ESCAPE '\\'");
                Ok(())
            }
            Self::Related(relation, condition) => {
                out.push_sql(relation);
                condition.walk(out.reborrow())?;
                out.push_sql(")");
                Ok(())
            }
            Self::Not(condition) => {
                out.push_sql("NOT (");
                condition.walk(out.reborrow())?;
                out.push_sql(")");
                Ok(())
            }
            // An empty AND is true.
            Self::All(conditions) if conditions.is_empty() => {
                out.push_sql("1 = 1");
                Ok(())
            }
            Self::Any(conditions) if conditions.is_empty() => {
                out.push_sql("1 = 0");
                Ok(())
            }
            Self::All(conditions) => joined(out, " AND ", conditions),
            Self::Any(conditions) => joined(out, " OR ", conditions),
            Self::RelatedAtLeast(relation, condition, count) => {
                out.push_sql(relation);
                condition.walk(out.reborrow())?;
                out.push_sql(&format!(") >= {count}"));
                Ok(())
            }
            Self::Named(_) => Err(QueryBuilderError("names are looked up first".into())),
        }
    }
}

/// The least text after all texts that begin with `prefix`, in code point order; `None` when there is none.
fn after(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The next code point, past the gap of the surrogates.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The `LIKE` pattern for texts that contain `text`.
pub fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn joined<'b>(
    mut out: AstPass<'_, 'b, Backend>,
    word: &str,
    conditions: &'b [Condition],
) -> QueryResult<()> {
    out.push_sql("(");
    separated(out.reborrow(), word, conditions, |condition, out| {
        condition.walk(out)
    })?;
    out.push_sql(")");
    Ok(())
}

pub(super) fn separated<'b, T>(
    mut out: AstPass<'_, 'b, Backend>,
    separator: &str,
    parts: &'b [T],
    mut write: impl FnMut(&'b T, AstPass<'_, 'b, Backend>) -> QueryResult<()>,
) -> QueryResult<()> {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out.push_sql(separator);
        }
        write(part, out.reborrow())?;
    }
    Ok(())
}

impl Value {
    pub(super) fn bind<'b>(&'b self, out: &mut AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        match self {
            Self::Int(value) => out.push_bind_param::<BigInt, _>(value),
            Self::Text(value) => out.push_bind_param::<Text, _>(value),
            Self::Time(value) => out.push_bind_param::<Timestamp, _>(value),
            Self::Bool(value) => out.push_bind_param::<Bool, _>(value),
        }
    }
}

/// A [`Condition`] in a query that selects from `QS`.
pub struct Where<QS> {
    condition: Condition,
    source: PhantomData<fn(QS)>,
}

impl<QS> QueryFragment<Backend> for Where<QS> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        self.condition.walk(out)
    }
}

expression!(Where, Bool);

/// A sub-select, up to its `WHERE`, and the condition behind that.
pub struct Select(pub &'static str, pub Condition);

impl QueryFragment<Backend> for Select {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql(self.0);
        self.1.walk(out)
    }
}

/// How many rows sub-selects find, up to one more than [`FEW`].
struct Found<QS> {
    selects: Vec<Column>,
    source: PhantomData<fn(QS)>,
}

impl<QS> QueryFragment<Backend> for Found<QS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("(SELECT count(*) FROM (");
        separated(
            out.reborrow(),
            " UNION ALL ",
            &self.selects,
            |select, out| select.walk_ast(out),
        )?;
        out.push_sql(&format!(" LIMIT {}) AS found)", FEW + 1));
        Ok(())
    }
}

expression!(Found, BigInt);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_behind_a_prefix() {
        assert_eq!(after("ab").as_deref(), Some("ac"));
        assert_eq!(after("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after("\u{10ffff}"), None);
        assert_eq!(after(""), None);
    }
}
