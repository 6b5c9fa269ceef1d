//! Health checks for supervisors and load balancers.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::Probe,
    db::{self, Db},
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

/// Liveness: the process serves.
#[utoipa::path(get, path = "/healthz")]
pub async fn get_health(_: Probe, _: NoParams) -> Json<Health> {
    OK
}

/// Readiness: the database answers and has the schema of this version.
///
/// # Errors
/// 503 with the reason when it cannot.
#[utoipa::path(get, path = "/readyz")]
pub async fn get_readiness(_: Probe, db: Data<Db>, _: NoParams) -> Result<Json<Health>, Error> {
    db.ready()
        .await
        .map_err(|error: db::Error| Error::NotReady(error.to_string()))?;
    Ok(OK)
}
