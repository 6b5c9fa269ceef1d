use diesel::query_dsl::methods::{FilterDsl, LimitDsl, LoadQuery, OrderDsl};
use serde::{Deserialize, Serialize};

use super::{Condition, Field, Seek, Sort, Where};
use crate::db::{DbConnection, Stamp};

/// A model that lists can be made of.
pub trait Listed: Sized + Send + 'static {
    /// What its query selects from.
    type Source: 'static;
    /// Its query, which goes on being one when it is narrowed and a page is cut from it.
    type Query: FilterDsl<Where<Self::Source>, Output = Self::Query>
        + FilterDsl<Seek<Self::Source>, Output = Self::Query>
        + OrderDsl<Sort<Self::Source>, Output = Self::Query>
        + LimitDsl<Output = Self::Query>
        + for<'query> LoadQuery<'query, DbConnection, Self>;

    /// How messages call one of them.
    const NAME: &'static str;
    /// What it can be filtered and ordered by. The `id` is among them, for it breaks ties.
    const FIELDS: &'static [Field<Self>];
    /// That a word of the object's text begins with this one, which is folded; `None` when there is no search.
    const HAS_WORD: Option<fn(&str) -> Condition>;

    /// As the parameter `ordering` would say it.
    const DEFAULT_ORDER: &'static str;
}

/// One value that rows are compared with.
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
