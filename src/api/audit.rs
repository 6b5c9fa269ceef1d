use actix_web::web::Data;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Id;
use crate::{
    auth::Staff,
    db::{Db, Stamp},
    error::Error,
    models::{Action, AuditEntry, ObjectType},
    query::{Detail, Filter, Filtered, List, Page, Shape, Shown},
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
    /// `{"field": [old, new]}`; of an import, the numbers of added, changed and unchanged rows.
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
    const FILTERS: &'static [Filter] = &[];
    const SHAPE: Shape = &[
        ("id", &[]),
        ("at", &[]),
        ("user", &[]),
        ("action", &[]),
        ("object_type", &[]),
        ("object_id", &[]),
        ("changes", &[]),
        ("request_id", &[]),
        ("address", &[]),
    ];
}

/// Entries of the audit trail, newest first.
///
/// # Errors
/// 400 for an unknown or invalid parameter, 404 for an invalid cursor.
#[utoipa::path(get, path = "/api/audit/")]
pub async fn list_audit(
    _: Staff,
    db: Data<Db>,
    list: List<AuditEntry>,
) -> Result<Page<Shown<AuditBody>>, Error> {
    let (slice, frame) = db
        .read(move |conn| list.load(conn, AuditEntry::all()))
        .await?;
    Ok(frame.page(slice))
}

/// One entry of the audit trail.
///
/// # Errors
/// 400 for an unknown field, 404 when there is none.
#[utoipa::path(get, path = "/api/audit/{id}/")]
pub async fn get_audit_entry(
    _: Staff,
    db: Data<Db>,
    id: Id<AuditEntry>,
    detail: Detail<AuditEntry>,
) -> Result<Shown<AuditBody>, Error> {
    let entry = db
        .read(move |conn| id.found(AuditEntry::find(conn, id.get())?))
        .await?;
    Ok(detail.fields.show(entry.into()))
}
