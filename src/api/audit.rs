use actix_web::web::{Data, Json};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Id;
use crate::{
    auth::Staff,
    db::{Db, Stamp},
    error::Error,
    models::AuditEntry,
    query::{Detail, Filter, Filtered, List, Page, Shape, Shown},
};

/// A line of the audit trail as the API shows it.
#[derive(Debug, Serialize)]
pub struct AuditBody {
    pub id: i64,
    pub at: Stamp,
    /// The user name of who did it.
    pub user: Option<String>,
    pub action: String,
    pub object_type: String,
    pub object_id: Option<i64>,
    /// `{"field": [old, new]}`
    pub changes: Box<RawValue>,
    pub request_id: Option<String>,
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

/// `GET /api/audit/`: what was changed, the latest first.
///
/// # Errors
/// 400 for a parameter that does not fit, 404 for a cursor that does not.
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

/// `GET /api/audit/{id}/`
///
/// # Errors
/// 400 for a field that it does not have, 404 when there is none.
pub async fn get_audit_entry(
    _: Staff,
    db: Data<Db>,
    id: Id<AuditEntry>,
    detail: Detail<AuditEntry>,
) -> Result<Json<Shown<AuditBody>>, Error> {
    let entry = db
        .read(move |conn| id.found(AuditEntry::find(conn, id.get())?))
        .await?;
    Ok(Json(detail.fields.show(entry.into())))
}
