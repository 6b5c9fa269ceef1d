//! What a supervisor or a load balancer asks.

use actix_web::web::{Data, Json};
use serde::Serialize;

use crate::{
    auth::Probe,
    db::{self, Db},
    error::Error,
    query::NoParams,
};

/// `{"status": "ok"}`
#[derive(Debug, Serialize)]
pub struct Health {
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// `GET /healthz`: the server lives.
pub async fn get_health(_: Probe, _: NoParams) -> Json<Health> {
    OK
}

/// `GET /readyz`: the server can serve, for the database answers and has this binary's schema.
///
/// # Errors
/// 503 with the reason when it cannot.
pub async fn get_readiness(_: Probe, db: Data<Db>, _: NoParams) -> Result<Json<Health>, Error> {
    db.ready()
        .await
        .map_err(|error: db::Error| Error::NotReady(error.to_string()))?;
    Ok(OK)
}
