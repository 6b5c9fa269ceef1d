//! Conditions on a row, as SQL.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Text, Timestamp},
};
use std::marker::PhantomData;

use super::Value;
use crate::db::Backend;

/// A column, or an expression that stands for one.
pub type Column = Box<dyn QueryFragment<Backend> + Send + Sync>;

/// What a row must be, for its list to show it.
pub enum Condition {
    /// The operator is one of SQL's comparisons.
    Compare(Column, &'static str, Value),
    /// One of the values, which are never none.
    In(Column, Vec<Value>),
    Null(Column),
    /// The text has this in it.
    Contains(Column, String),
    /// Of the objects behind a relation, one is so.
    Related(&'static str, Box<Self>),
    /// The column is among what one of the sub-selects finds.
    Among(Column, Vec<Column>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Of the objects behind a relation, that many are so.
    RelatedAtLeast(&'static str, Box<Self>, u32),
}

impl Condition {
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

    /// As an expression for a query that selects from `QS`.
    pub fn of<QS>(self) -> Where<QS> {
        Where {
            condition: self,
            source: PhantomData,
        }
    }

    fn walk<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
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
            Self::All(conditions) => joined(out, " AND ", conditions),
            Self::Any(conditions) => joined(out, " OR ", conditions),
            Self::RelatedAtLeast(relation, condition, count) => {
                out.push_sql(relation);
                condition.walk(out.reborrow())?;
                out.push_sql(&format!(") >= {count}"));
                Ok(())
            }
        }
    }
}

/// The least text behind all that begin with `prefix`, in code point order; `None` when there is none.
fn after(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The code points behind one another, but for the gap of the surrogates.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The pattern for `LIKE` of texts that have `text` in them.
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

// The columns come from the model whose `Source` this is, which is all that these traits ask.
impl<QS> Expression for Where<QS> {
    type SqlType = Bool;
}
impl<QS> AppearsOnTable<QS> for Where<QS> {}
impl<QS> SelectableExpression<QS> for Where<QS> {}
impl<QS, GroupBy> ValidGrouping<GroupBy> for Where<QS> {
    type IsAggregate = is_aggregate::No;
}
impl<QS> QueryId for Where<QS> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

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
