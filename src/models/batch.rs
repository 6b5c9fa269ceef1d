//! Prefetching with few prepared statements.
//!
//! `IN (?, …)` is another statement for each number of values, and preparing the prefetch costs more than running it. A batch
//! pads its keys to a power of two, so that a few statements serve every page.

use diesel::{
    QueryResult,
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{BigInt, Bool, HasSqlType},
};

/// The parents of one prefetch: `Child::belonging_to(Batch(&parents))`.
#[derive(Debug)]
pub struct Batch<'a, Parent>(pub &'a [Parent]);

/// `column IN (…)` over keys that are padded, with the last of them again, to the next power of two.
#[derive(Debug, Clone)]
pub struct InBatch<Column> {
    column: Column,
    keys: Vec<i64>,
}

impl<Column> InBatch<Column> {
    pub fn new(column: Column, keys: impl Iterator<Item = i64>) -> Self {
        let mut keys: Vec<i64> = keys.collect();
        // Ids are positive, so no row has id 0.
        let padding = keys.last().copied().unwrap_or(0);
        keys.resize(keys.len().next_power_of_two(), padding);
        Self { column, keys }
    }
}

impl<Column: Expression> Expression for InBatch<Column> {
    type SqlType = Bool;
}

impl<Column, QS> AppearsOnTable<QS> for InBatch<Column> where Column: AppearsOnTable<QS> {}

impl<Column, QS> SelectableExpression<QS> for InBatch<Column> where Column: SelectableExpression<QS> {}

impl<Column, GroupBy> ValidGrouping<GroupBy> for InBatch<Column> {
    type IsAggregate = is_aggregate::No;
}

impl<Column> QueryId for InBatch<Column> {
    // The SQL depends on the number of keys, so Diesel must look the statement up by its text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Column, DB> QueryFragment<DB> for InBatch<Column>
where
    DB: Backend + HasSqlType<BigInt>,
    Column: QueryFragment<DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        for (place, key) in self.keys.iter().enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<BigInt, _>(key)?;
        }
        out.push_sql(")");
        Ok(())
    }
}
