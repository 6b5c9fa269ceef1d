//! Health checks for supervisors and load balancers.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Probe,
    db::{self, Reader},
    error::Error,
    query::NoParams,
};

/// The server works.
///
/// ```json
/// {"status": "ok"}
/// ```
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

pub async fn get_health(_: Probe, _: NoParams) -> Json<Health> {
    OK
}

pub async fn get_readiness(_: Probe, db: Data<Reader>, _: NoParams) -> Result<Json<Health>, Error> {
    db.ready().await.map_err(not_ready)?;
    Ok(OK)
}

/// What the error tells is for the log, unless it is meant for everybody: a probe's answer may be read by anybody.
fn not_ready(error: db::Error) -> Error {
    let reason = error.to_string();
    let shown = match error {
        db::Error::Lost(reason) => reason,
        _ => "the database does not answer".to_owned(),
    };
    Error::NotReady { shown, reason }
}
