//! `column IN (…)` as one parameter, so that one statement, prepared once, serves any number of values.

use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{BigInt, Bool, Text},
    sqlite::Sqlite,
};

use crate::db::Backend;

/// Condition: the column has one of these ids or texts.
#[derive(Debug, Clone)]
pub struct OneOf<Column> {
    column: Column,
    /// The values as a JSON array, which is how SQLite takes a list in one parameter.
    json: String,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    Ids(Vec<i64>),
    Texts(Vec<String>),
}

impl<Column> OneOf<Column> {
    pub fn ids(column: Column, ids: &[i64]) -> Self {
        Self {
            column,
            json: serde_json::Value::from(ids).to_string(),
            values: Values::Ids(ids.to_vec()),
        }
    }

    pub fn texts(column: Column, texts: &[String]) -> Self {
        Self {
            column,
            json: serde_json::Value::from(texts).to_string(),
            values: Values::Texts(texts.to_vec()),
        }
    }
}

impl<Column: Expression> Expression for OneOf<Column> {
    type SqlType = Bool;
}

impl<Column, QS> AppearsOnTable<QS> for OneOf<Column> where Column: AppearsOnTable<QS> {}

impl<Column, QS> SelectableExpression<QS> for OneOf<Column> where Column: SelectableExpression<QS> {}

impl<Column, GroupBy> ValidGrouping<GroupBy> for OneOf<Column> {
    type IsAggregate = is_aggregate::No;
}

impl<Column> QueryId for OneOf<Column> {
    // Ids and texts make two statements of the same type, so Diesel must look them up by their text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Column: QueryFragment<Sqlite>> QueryFragment<Sqlite> for OneOf<Column> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        match &self.values {
            // One value is compared directly: a table of values costs more than finding the row.
            Values::Ids(ids) if ids.len() == 1 => {
                out.push_sql(" = ");
                return out.push_bind_param::<BigInt, _>(&ids[0]);
            }
            Values::Texts(texts) if texts.len() == 1 => {
                out.push_sql(" = ");
                return out.push_bind_param::<Text, _>(&texts[0]);
            }
            _ => {}
        }
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.json)?;
        out.push_sql("))");
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl<Column: QueryFragment<diesel::pg::Pg>> QueryFragment<diesel::pg::Pg> for OneOf<Column> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        use diesel::sql_types::Array;
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        match &self.values {
            Values::Ids(ids) => out.push_bind_param::<Array<BigInt>, _>(ids)?,
            Values::Texts(texts) => out.push_bind_param::<Array<Text>, _>(texts)?,
        }
        out.push_sql(")");
        Ok(())
    }
}

#[cfg(feature = "postgres")]
impl<Column> QueryFragment<Backend> for OneOf<Column>
where
    Column: QueryFragment<Sqlite> + QueryFragment<diesel::pg::Pg>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        Backend::walk_variant_ast(self, out)
    }
}

#[cfg(not(feature = "postgres"))]
impl<Column: QueryFragment<Sqlite>> QueryFragment<Backend> for OneOf<Column> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        Backend::walk_variant_ast(self, out)
    }
}
