use actix_web::{HttpRequest, web::Json};
use serde_json::{Map, Value};

use crate::{
    auth::Anyone,
    error::Error,
    query::{Shown, alone},
    routes::RESOURCES,
    urls,
};

/// `GET /api/`: where the resources are.
///
/// # Errors
/// 400 for a resource that is not there, and for any other parameter.
pub async fn list_resources(
    _: Anyone,
    request: HttpRequest,
) -> Result<Json<Shown<Map<String, Value>>>, Error> {
    let fields = alone(&request, RESOURCES)?;
    let root = urls::canonical(&request);
    let url = |name: &str| (name.to_owned(), format!("{root}{name}/").into());
    Ok(Json(fields.show(
        RESOURCES.iter().map(|(name, _)| url(name)).collect(),
    )))
}
