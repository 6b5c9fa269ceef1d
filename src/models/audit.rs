use std::{fmt::Write as _, sync::Arc};

use diesel::{dsl, prelude::*};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::{stored::stored, unwritable};
use crate::{
    db::{Backend, DbConnection, Stamp, schema::audit},
    query::{Condition, Field, Listed},
    text::fold,
};

/// A line of the audit trail: what was changed, by whom, when and from what to what.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = audit)]
pub struct AuditEntry {
    pub id: i64,
    pub at: Stamp,
    pub username: Option<String>,
    pub action: String,
    pub object_type: String,
    pub object_id: Option<i64>,
    /// A JSON object: `{"field": [old, new]}`.
    pub changes: String,
    pub request_id: Option<String>,
    pub address: Option<String>,
}

/// A query for lines of the trail that goes on being one, whatever is added to it.
pub type AuditQuery =
    dsl::IntoBoxed<'static, dsl::Select<audit::table, dsl::AsSelect<AuditEntry, Backend>>, Backend>;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Delete,
    Login,
    Logout,
    LoginFailed,
    TokenReused,
    Import,
}

/// What kind of object it was done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ObjectType {
    Company,
    Skill,
    Developer,
    Project,
    User,
}

/// Who does something, and by which request. By the command line it is nobody, from nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    pub username: Option<String>,
    pub request_id: Option<String>,
    pub address: Option<String>,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Login => "login",
            Self::Logout => "logout",
            Self::LoginFailed => "login_failed",
            Self::TokenReused => "token_reused",
            Self::Import => "import",
        }
    }
}

impl ObjectType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Skill => "skill",
            Self::Developer => "developer",
            Self::Project => "project",
            Self::User => "user",
        }
    }
}

stored!(AuditEntry, audit);

impl AuditEntry {
    pub fn all() -> AuditQuery {
        audit::table.select(Self::as_select()).into_boxed()
    }
}

impl Author {
    /// Adds a line to the trail, in the transaction of what it tells of.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn record(
        &self,
        conn: &mut DbConnection,
        action: Action,
        (object_type, object_id): (ObjectType, Option<i64>),
        changes: &Map<String, Value>,
    ) -> QueryResult<()> {
        let changes = serde_json::to_string(changes).map_err(unwritable)?;
        let row = (
            audit::at.eq(Stamp::now()),
            audit::username.eq(&self.username),
            audit::username_key.eq(self.username.as_deref().map(fold)),
            audit::action.eq(action.name()),
            audit::object_type.eq(object_type.name()),
            audit::object_id.eq(object_id),
            audit::changes.eq(changes),
            audit::request_id.eq(&self.request_id),
            audit::address.eq(&self.address),
        );
        diesel::insert_into(audit::table)
            .values(row)
            .execute(conn)
            .map(|_| ())
    }
}

impl Author {
    /// Adds the line of a session that ends.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn record_end(
        &self,
        conn: &mut DbConnection,
        action: Action,
        user: i64,
        session: i64,
    ) -> QueryResult<()> {
        let was = Value::from(vec![Value::from(session), Value::Null]);
        let changes = Map::from_iter([("session".to_owned(), was)]);
        self.record(conn, action, (ObjectType::User, Some(user)), &changes)
    }
}

/// What differs between two states of an object, as `{"field": [old, new]}`; null stands for its not being there. When it was
/// last changed is no difference. Long texts are cut, so that a line of the trail stays small.
pub fn differences(before: Value, after: Value) -> Map<String, Value> {
    let (before, mut after) = (fields(before), fields(after));
    let mut changes = Map::with_capacity(before.len().max(after.len()));
    for (name, old) in before {
        let new = after.shift_remove(&name).unwrap_or_default();
        if old != new {
            changes.insert(name, Value::Array(vec![cut(old), cut(new)]));
        }
    }
    let added = after.into_iter().filter(|(_, new)| !new.is_null());
    changes.extend(added.map(|(name, new)| (name, Value::Array(vec![Value::Null, cut(new)]))));
    changes
}

/// In place of a long text its beginning, its length in characters, and the digest that tells it from any other.
fn cut(value: Value) -> Value {
    /// Characters of a text that are kept.
    const KEPT: usize = 1_000;
    let Value::String(text) = &value else {
        return value;
    };
    let Some((end, _)) = text.char_indices().nth(KEPT) else {
        return value;
    };
    json!({
        "text": text[..end],
        "length": text.chars().count(),
        "sha256": hexadecimal(&Sha256::digest(text)),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn fields(object: Value) -> Map<String, Value> {
    let Value::Object(mut fields) = object else {
        return Map::new();
    };
    fields.shift_remove("id");
    fields.shift_remove("updated_at");
    fields
}

/// That a field which is never shown has changed.
pub fn hidden_change(name: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), Value::from(vec![Value::Null; 2]))])
}

impl Listed for AuditEntry {
    type Source = audit::table;
    type Query = AuditQuery;

    const NAME: &'static str = "AuditEntry";
    const FIELDS: &'static [Field<Self>] = &[
        Field::int("id", || Arc::new(audit::id))
            .filtered()
            .sorted_int(|row| row.id),
        Field::text("user", || Arc::new(audit::username))
            .filtered_folded(|| Arc::new(audit::username_key)),
        Field::text("action", || Arc::new(audit::action))
            .filtered_folded(|| Arc::new(audit::action)),
        Field::text("object_type", || Arc::new(audit::object_type))
            .filtered_folded(|| Arc::new(audit::object_type)),
        Field::int("object_id", || Arc::new(audit::object_id)).filtered(),
        Field::time("at", || Arc::new(audit::at)).filtered(),
    ];
    const DEFAULT_ORDER: &'static str = "-id";
    const HAS_WORD: Option<fn(&str) -> Condition> = None;
}
