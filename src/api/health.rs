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

pub async fn get_health(_: Probe, _: NoParams) -> Json<Health> {
    OK
}

pub async fn get_readiness(_: Probe, db: Data<Db>, _: NoParams) -> Result<Json<Health>, Error> {
    db.ready()
        .await
        .map_err(|error: db::Error| Error::NotReady(error.to_string()))?;
    Ok(OK)
}
