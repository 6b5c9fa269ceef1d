//! Places in an order, as SQL: `ORDER BY a DESC, id DESC` and `(a, id) < (?, ?)`.

use std::{fmt::Write as _, marker::PhantomData};

use diesel::{
    QueryResult,
    expression::{
        AppearsOnTable, Expression, SelectableExpression, ValidGrouping,
        expression_types::NotSelectable, is_aggregate,
    },
    query_builder::{AstPass, QueryFragment, QueryId},
    query_dsl::methods::{FilterDsl, LimitDsl, LoadQuery, OrderDsl},
    sql_types::{BigInt, Bool, Text, Timestamp},
};
use serde::{Deserialize, Serialize};

use crate::db::{Backend, DbConnection, Stamp};

/// A model that lists can be made of.
pub trait Listed: Sized + Send + 'static {
    /// What its query selects from.
    type Source: 'static;
    /// Its query, which goes on being one when a page is cut from it.
    type Query: FilterDsl<Seek<Self::Source>, Output = Self::Query>
        + OrderDsl<Sort<Self::Source>, Output = Self::Query>
        + LimitDsl<Output = Self::Query>
        + for<'query> LoadQuery<'query, DbConnection, Self>;

    /// How messages call one of them.
    const NAME: &'static str;
    /// The order of its lists.
    const ORDER: Order<Self>;
}

type Column = Box<dyn QueryFragment<Backend> + Send + Sync>;

/// A field that rows are ordered by. It is never null.
pub struct Key<M: 'static> {
    name: &'static str,
    column: fn() -> Column,
    value: Getter<M>,
}

enum Getter<M: 'static> {
    Int(fn(&M) -> i64),
    Text(fn(&M) -> String),
    Time(fn(&M) -> Stamp),
}

impl<M> Key<M> {
    pub const fn int(name: &'static str, column: fn() -> Column, value: fn(&M) -> i64) -> Self {
        Self {
            name,
            column,
            value: Getter::Int(value),
        }
    }

    pub const fn text(name: &'static str, column: fn() -> Column, value: fn(&M) -> String) -> Self {
        Self {
            name,
            column,
            value: Getter::Text(value),
        }
    }

    pub const fn time(name: &'static str, column: fn() -> Column, value: fn(&M) -> Stamp) -> Self {
        Self {
            name,
            column,
            value: Getter::Time(value),
        }
    }

    fn of(&self, row: &M) -> Value {
        match self.value {
            Getter::Int(value) => Value::Int(value(row)),
            Getter::Text(value) => Value::Text(value(row)),
            Getter::Time(value) => Value::Time(value(row)),
        }
    }

    fn takes(&self, value: &Value) -> bool {
        matches!(
            (&self.value, value),
            (Getter::Int(_), Value::Int(_)) | (Getter::Time(_), Value::Time(_))
        ) || matches!((&self.value, value), (Getter::Text(_), Value::Text(text)) if !text.contains('\0'))
    }
}

/// One sort value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    #[serde(rename = "i")]
    Int(i64),
    #[serde(rename = "s")]
    Text(String),
    #[serde(rename = "t")]
    Time(Stamp),
}

/// A total order: the last key is the id, which breaks ties in the direction of the others.
pub struct Order<M: 'static> {
    keys: &'static [Key<M>],
    descending: bool,
}

impl<M> Order<M> {
    pub const fn ascending(keys: &'static [Key<M>]) -> Self {
        Self {
            keys,
            descending: false,
        }
    }

    pub const fn descending(keys: &'static [Key<M>]) -> Self {
        Self {
            keys,
            descending: true,
        }
    }

    /// The row's place in this order.
    pub fn place(&self, row: &M) -> Vec<Value> {
        self.keys.iter().map(|key| key.of(row)).collect()
    }

    /// Whether these values can be a place in this order.
    pub fn fits(&self, place: &[Value]) -> bool {
        place.len() == self.keys.len()
            && self
                .keys
                .iter()
                .zip(place)
                .all(|(key, value)| key.takes(value))
    }

    /// As the parameter `ordering` says it, the id included.
    pub fn spelled(&self) -> String {
        self.keys.iter().fold(String::new(), |mut text, key| {
            let sign = if self.descending { "-" } else { "" };
            let _ = write!(text, "{sign}{},", key.name);
            text
        })
    }

    /// `ORDER BY` this order, or its reverse.
    pub fn sort<QS>(&self, backward: bool) -> Sort<QS> {
        Sort {
            columns: self.columns(),
            descending: self.descending != backward,
            source: PhantomData,
        }
    }

    /// Only what comes after `place` in this order, or before it when `backward`; with the row at the place itself
    /// when `inclusive`.
    pub fn seek<QS>(&self, place: &[Value], backward: bool, inclusive: bool) -> Seek<QS> {
        let operator = match (self.descending != backward, inclusive) {
            (false, false) => ") > (",
            (false, true) => ") >= (",
            (true, false) => ") < (",
            (true, true) => ") <= (",
        };
        Seek {
            columns: self.columns(),
            operator,
            place: place.to_vec(),
            source: PhantomData,
        }
    }

    fn columns(&self) -> Vec<Column> {
        self.keys.iter().map(|key| (key.column)()).collect()
    }
}

/// The expression behind `ORDER BY`; see [`Order::sort`].
pub struct Sort<QS> {
    columns: Vec<Column>,
    descending: bool,
    source: PhantomData<fn(QS)>,
}

/// A comparison of row values, which both engines answer from one range of an index however many rows tie in the
/// first column; see [`Order::seek`].
pub struct Seek<QS> {
    columns: Vec<Column>,
    operator: &'static str,
    place: Vec<Value>,
    source: PhantomData<fn(QS)>,
}

impl<QS> QueryFragment<Backend> for Sort<QS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for (number, column) in self.columns.iter().enumerate() {
            if number > 0 {
                out.push_sql(", ");
            }
            column.walk_ast(out.reborrow())?;
            if self.descending {
                out.push_sql(" DESC");
            }
        }
        Ok(())
    }
}

impl<QS> QueryFragment<Backend> for Seek<QS> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("(");
        for (number, column) in self.columns.iter().enumerate() {
            if number > 0 {
                out.push_sql(", ");
            }
            column.walk_ast(out.reborrow())?;
        }
        out.push_sql(self.operator);
        for (number, value) in self.place.iter().enumerate() {
            if number > 0 {
                out.push_sql(", ");
            }
            match value {
                Value::Int(value) => out.push_bind_param::<BigInt, _>(value)?,
                Value::Text(value) => out.push_bind_param::<Text, _>(value)?,
                Value::Time(value) => out.push_bind_param::<Timestamp, _>(value)?,
            }
        }
        out.push_sql(")");
        Ok(())
    }
}

// The columns come from the model whose `Source` this is, which is all that these traits ask.
impl<QS> Expression for Sort<QS> {
    type SqlType = NotSelectable;
}
impl<QS> AppearsOnTable<QS> for Sort<QS> {}
impl<QS> SelectableExpression<QS> for Sort<QS> {}
impl<QS, GroupBy> ValidGrouping<GroupBy> for Sort<QS> {
    type IsAggregate = is_aggregate::No;
}
impl<QS> QueryId for Sort<QS> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<QS> Expression for Seek<QS> {
    type SqlType = Bool;
}
impl<QS> AppearsOnTable<QS> for Seek<QS> {}
impl<QS> SelectableExpression<QS> for Seek<QS> {}
impl<QS, GroupBy> ValidGrouping<GroupBy> for Seek<QS> {
    type IsAggregate = is_aggregate::No;
}
impl<QS> QueryId for Seek<QS> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
