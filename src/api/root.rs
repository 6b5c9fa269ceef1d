use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header, web::Json};
use serde_json::{Map, Value, json};

use crate::{
    auth::Anyone,
    error::Error,
    middleware::preferred,
    openapi::{Describe, Operation},
    query::{self, Shown, alone},
    routes::RESOURCES,
    urls,
};

/// JSON for a client, HTML for a browser.
pub const MEDIA_TYPES: [&str; 2] = ["application/json", "text/html"];

/// The URLs of the resources. A browser is redirected to the documentation.
///
/// # Errors
/// 400 for an unknown field or parameter.
#[utoipa::path(get, path = "/api/")]
pub async fn list_resources(_: Anyone, request: HttpRequest) -> Result<Root, Error> {
    let fields = alone(&request, RESOURCES)?;
    if preferred(request.headers(), &MEDIA_TYPES) == Some("text/html") {
        return Ok(Root::Browser);
    }
    let root = urls::canonical(&request);
    let url = |name: &str| (name.to_owned(), format!("{root}{name}/").into());
    let resources = RESOURCES.iter().map(|(name, _)| url(name)).collect();
    Ok(Root::Client(fields.show(resources)))
}

/// The answer of the root.
pub enum Root {
    Client(Shown<Map<String, Value>>),
    Browser,
}

impl Responder for Root {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let mut response = match self {
            Self::Client(resources) => Json(resources).respond_to(request).map_into_boxed_body(),
            Self::Browser => {
                let docs = format!("{}docs/", urls::canonical(request));
                let location = (header::LOCATION, docs);
                HttpResponse::Found().insert_header(location).finish()
            }
        };
        let vary = header::HeaderValue::from_static("Accept");
        response.headers_mut().append(header::VARY, vary);
        response
    }
}

impl Describe for Root {
    fn describe(operation: &mut Operation) {
        let url = json!({"type": "string", "format": "uri"});
        let urls: Map<String, Value> = RESOURCES
            .iter()
            .map(|(name, _)| ((*name).to_owned(), url.clone()))
            .collect();
        let schema = json!({"type": "object", "properties": urls});
        query::describe(operation, RESOURCES);
        operation.answer(200, "The URLs of the resources.", Some(&schema), &["Vary"]);
        operation.answer(
            302,
            "A redirection to the documentation, for browsers.",
            None,
            &["Location", "Vary"],
        );
    }
}
