//! Orders, and positions in them, as SQL: `ORDER BY a DESC, id DESC` and `(a, id) < (?, ?)`.

use std::{fmt::Write as _, marker::PhantomData, sync::Arc};

use diesel::{
    QueryResult,
    expression::expression_types::NotSelectable,
    query_builder::{AstPass, QueryFragment},
    sql_types::Bool,
};

use super::{
    Field, Listed, Value,
    condition::{Column, separated},
    expression::expression,
    field::Getter,
};
use crate::db::{Backend, Stamp};

/// A total order: its last field is the id, which breaks ties in the direction of the first.
pub struct Order<M: 'static> {
    keys: Vec<Key<M>>,
}

struct Key<M: 'static> {
    field: &'static Field<M>,
    descending: bool,
}

impl<M: Listed> Order<M> {
    /// Reads the parameter `ordering`: names with commas, `-` for descending. A repeated name and a blank one are ignored, as in DRF. Without
    /// any name it is the list's default order.
    ///
    /// # Errors
    /// The message for a name that cannot be ordered by.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key<M>> = Vec::new();
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        for name in names {
            let (bare, descending) = name
                .strip_prefix('-')
                .map_or((name, false), |bare| (bare, true));
            let field = M::FIELDS
                .iter()
                .find(|field| field.name == bare && field.is_sorted())
                .ok_or_else(|| {
                    format!("Select a valid choice. {name} is not one of the available choices.")
                })?;
            if !keys.iter().any(|key| key.field.name == bare) {
                keys.push(Key { field, descending });
            }
        }
        if keys.is_empty() && text != M::DEFAULT_ORDER {
            return Self::parse(M::DEFAULT_ORDER);
        }
        Ok(Self::ending_with_id(keys))
    }

    /// The default order of the list.
    pub fn default_of_list() -> Self {
        Self::parse(M::DEFAULT_ORDER).unwrap_or_else(|_| Self::ending_with_id(Vec::new()))
    }

    fn ending_with_id(mut keys: Vec<Key<M>>) -> Self {
        if let Some(place) = keys.iter().position(|key| key.field.name == "id") {
            keys.truncate(place + 1);
        } else if let Some(field) = M::FIELDS.iter().find(|field| field.name == "id") {
            let descending = keys.first().is_some_and(|key| key.descending);
            keys.push(Key { field, descending });
        }
        Self { keys }
    }

    /// The row's position in this order: its sort values.
    pub fn place(&self, row: &M) -> Vec<Value> {
        self.keys.iter().filter_map(|key| key.value(row)).collect()
    }

    /// Whether these values can be a position in this order.
    pub fn fits(&self, place: &[Value]) -> bool {
        place.len() == self.keys.len()
            && self
                .keys
                .iter()
                .zip(place)
                .all(|(key, value)| key.takes(value))
    }

    /// As a value of the parameter `ordering`, with the id.
    pub fn spelled(&self) -> String {
        self.keys.iter().fold(String::new(), |mut text, key| {
            let sign = if key.descending { "-" } else { "" };
            let _ = write!(text, "{sign}{},", key.field.name);
            text
        })
    }

    /// `ORDER BY` this order, or its reverse.
    pub fn sort<QS>(&self, backward: bool) -> Sort<QS> {
        let columns = self
            .keys
            .iter()
            .map(|key| (key.column(), key.descending != backward))
            .collect();
        Sort {
            columns,
            source: PhantomData,
        }
    }

    /// Narrows to rows after `place` in this order, or before it when `backward`. `inclusive` adds the row at the position.
    pub fn seek<QS>(&self, place: &[Value], backward: bool, inclusive: bool) -> Seek<QS> {
        let keys = self.keys.iter().zip(place).map(|(key, value)| SeekKey {
            column: key.column(),
            computed: key.field.nullable,
            less: key.descending != backward,
            value: value.clone(),
        });
        Seek {
            keys: keys.collect(),
            inclusive,
            source: PhantomData,
        }
    }
}

impl<M: Listed> Key<M> {
    fn value(&self, row: &M) -> Option<Value> {
        Some(match self.field.sorted.as_ref()? {
            Getter::Int(value) => Value::Int(value(row)),
            Getter::Text(value) => Value::Text(value(row)),
            Getter::Time(value) => Value::Time(value(row).unwrap_or(self.never())),
        })
    }

    fn takes(&self, value: &Value) -> bool {
        match (self.field.sorted.as_ref(), value) {
            (Some(Getter::Int(_)), Value::Int(_)) | (Some(Getter::Time(_)), Value::Time(_)) => true,
            (Some(Getter::Text(_)), Value::Text(text)) => !text.contains('\0'),
            _ => false,
        }
    }

    /// The column without nulls: an absent time counts as one behind all others in the direction of the order, so that a
    /// place is always a value and an index on the same expression holds the whole order.
    fn column(&self) -> Column {
        if self.field.nullable {
            Arc::new(Coalesce {
                column: self.field.column(),
                never: self.never(),
            })
        } else {
            self.field.column()
        }
    }

    fn never(&self) -> Stamp {
        if self.descending {
            Stamp::FIRST
        } else {
            Stamp::LAST
        }
    }
}

/// `coalesce(column, 'time')`, the time as a literal, for indices are found by their expressions' texts.
struct Coalesce {
    column: Column,
    never: Stamp,
}

impl QueryFragment<Backend> for Coalesce {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.push_sql("coalesce(");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(&format!(", '{}')", self.never.sql()));
        Ok(())
    }
}

/// The time of the column, and one before all others where there is none: the expression of the index of the descending
/// order.
pub fn never_first(column: Column) -> Column {
    Arc::new(Coalesce {
        column,
        never: Stamp::FIRST,
    })
}

/// The expression behind `ORDER BY`; see [`Order::sort`].
pub struct Sort<QS> {
    columns: Vec<(Column, bool)>,
    source: PhantomData<fn(QS)>,
}

/// See [`Order::seek`].
pub struct Seek<QS> {
    keys: Vec<SeekKey>,
    inclusive: bool,
    source: PhantomData<fn(QS)>,
}

struct SeekKey {
    column: Column,
    /// Whether it is an expression and not a plain column.
    computed: bool,
    /// Whether the key is descending.
    less: bool,
    value: Value,
}

impl<QS> QueryFragment<Backend> for Sort<QS> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        separated(out, ", ", &self.columns, |(column, descending), mut out| {
            column.walk_ast(out.reborrow())?;
            if *descending {
                out.push_sql(" DESC");
            }
            Ok(())
        })
    }
}

impl<QS> QueryFragment<Backend> for Seek<QS> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        let one_way = self.keys.iter().all(|key| key.less == self.keys[0].less);
        if one_way {
            self.row_value(out)
        } else {
            self.key_by_key(out)
        }
    }
}

impl<QS> Seek<QS> {
    /// `(a, b) < (?, ?)`, which both engines answer from one range of an index however many rows tie in the first column.
    fn row_value<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        if let Some(first) = self.keys.first().filter(|key| key.computed) {
            // SQLite finds no index range in a row value with an expression, but finds one in the expression alone.
            first.column.walk_ast(out.reborrow())?;
            out.push_sql(if first.less { " <= " } else { " >= " });
            first.value.bind(&mut out)?;
            out.push_sql(" AND ");
        }
        out.push_sql("(");
        separated(out.reborrow(), ", ", &self.keys, |key, out| {
            key.column.walk_ast(out)
        })?;
        out.push_sql(
            match (
                self.keys.first().is_some_and(|key| key.less),
                self.inclusive,
            ) {
                (false, false) => ") > (",
                (false, true) => ") >= (",
                (true, false) => ") < (",
                (true, true) => ") <= (",
            },
        );
        separated(out.reborrow(), ", ", &self.keys, |key, mut out| {
            key.value.bind(&mut out)
        })?;
        out.push_sql(")");
        Ok(())
    }

    /// `(a <= ? AND (a < ? OR (b >= ? AND (b > ? OR …))))` for keys that go different ways.
    fn key_by_key<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        for (number, key) in self.keys.iter().enumerate() {
            let (or_equal, beyond) = if key.less {
                (" <= ", " < ")
            } else {
                (" >= ", " > ")
            };
            let last = number + 1 == self.keys.len();
            out.push_sql("(");
            key.column.walk_ast(out.reborrow())?;
            out.push_sql(if last && !self.inclusive {
                beyond
            } else {
                or_equal
            });
            key.value.bind(&mut out)?;
            if !last {
                out.push_sql(" AND (");
                key.column.walk_ast(out.reborrow())?;
                out.push_sql(beyond);
                key.value.bind(&mut out)?;
                out.push_sql(" OR ");
            }
        }
        out.push_sql(&")".repeat(self.keys.len() * 2 - 1));
        Ok(())
    }
}

expression!(Sort, NotSelectable);
expression!(Seek, Bool);
