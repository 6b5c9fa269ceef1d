use diesel::query_dsl::methods::{FilterDsl, LimitDsl, LoadQuery, OrderDsl};
use serde::{Deserialize, Serialize};

use super::{Condition, Field, Seek, Sort, Where};
use crate::db::{DbConnection, Stamp};

/// A model that has lists.
pub trait Listed: Sized + Send + 'static {
    /// The source that its query selects from.
    type Source: 'static;
    /// Its boxed query: filters, order and limit do not change the type.
    type Query: FilterDsl<Where<Self::Source>, Output = Self::Query>
        + FilterDsl<Seek<Self::Source>, Output = Self::Query>
        + OrderDsl<Sort<Self::Source>, Output = Self::Query>
        + LimitDsl<Output = Self::Query>
        + for<'query> LoadQuery<'query, DbConnection, Self>;

    /// The name of one object in messages.
    const NAME: &'static str;
    /// The fields that filter and order. The `id` is one of them, because it breaks ties.
    const FIELDS: &'static [Field<Self>];
    /// The condition that a word of the object's text begins with this folded word; `None` when the list has no search.
    const HAS_WORD: Option<fn(&str) -> Condition>;

    /// As a value of the parameter `ordering`.
    const DEFAULT_ORDER: &'static str;
}

/// A value that rows are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    #[serde(rename = "i")]
    Int(i64),
    #[serde(rename = "s")]
    Text(String),
    #[serde(rename = "t")]
    Time(Stamp),
    #[serde(rename = "b")]
    Bool(bool),
}
