use std::collections::BTreeMap;

use actix_web::{HttpRequest, web::Json};

use crate::{error::Error, query::NoParams, routes::RESOURCES, urls};

/// `GET /api/`: where the resources are.
///
/// # Errors
/// 400 for any query parameter.
pub async fn list_resources(
    request: HttpRequest,
    _: NoParams,
) -> Result<Json<BTreeMap<&'static str, String>>, Error> {
    let root = urls::canonical(&request);
    Ok(Json(
        RESOURCES
            .iter()
            .map(|name| (*name, format!("{root}{name}/")))
            .collect(),
    ))
}
