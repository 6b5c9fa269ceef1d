use diesel::QueryResult;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Readable;
use crate::{
    auth::Staff,
    db::{DbConnection, Stamp},
    models::{Action, AuditEntry, AuditQuery, ObjectType},
    query::{Fields, Filtered},
};

/// An entry of the audit trail as the API shows it.
///
/// ```json
/// {
///   "id": 9, "at": "2026-11-20T08:15:30.123456Z", "user": "boss", "action": "update", "object_type": "skill",
///   "object_id": 3, "changes": {"name": ["rust", "Rust"]}, "request_id": "5f2c", "address": "192.0.2.7"
/// }
/// ```
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditBody {
    pub id: i64,
    pub at: Stamp,
    /// The name of the user who did it.
    #[schema(required)]
    pub user: Option<String>,
    #[schema(value_type = Action)]
    pub action: String,
    #[schema(value_type = ObjectType)]
    pub object_type: String,
    #[schema(required)]
    pub object_id: Option<i64>,
    /// `{"field": [old, new]}`; of an import, the numbers of added, changed and unchanged rows. In place of a text of more than
    /// 1,000 characters stands `{"text": …, "length": …, "sha256": …}`: its first 1,000 characters, the number of all, and
    /// the SHA-256 of its UTF-8, in hexadecimal.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    pub changes: Box<RawValue>,
    #[schema(required)]
    pub request_id: Option<String>,
    #[schema(required)]
    pub address: Option<String>,
}

impl From<AuditEntry> for AuditBody {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry {
            id,
            at,
            username,
            action,
            object_type,
            object_id,
            changes,
            request_id,
            address,
        } = entry;
        Self {
            id,
            at,
            user: username,
            action,
            object_type,
            object_id,
            // It was written as JSON; whatever else may have got there is no object of changes.
            changes: RawValue::from_string(changes).unwrap_or_else(|_| RawValue::NULL.to_owned()),
            request_id,
            address,
        }
    }
}

impl Filtered for AuditEntry {
    type Body = AuditBody;
}

impl Readable for AuditEntry {
    type Reader = Staff;

    fn visible(_: &Staff, _: &Fields) -> AuditQuery {
        Self::all()
    }

    fn show(_: &mut DbConnection, rows: Vec<Self>, _: &Fields) -> QueryResult<Vec<AuditBody>> {
        Ok(rows.into_iter().map(AuditBody::from).collect())
    }
}
