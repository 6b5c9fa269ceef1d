use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header};
use serde_json::{Map, Value, json};

use crate::{
    auth::Anyone,
    error::Error,
    middleware::wanted,
    openapi::{Describe, Operation},
    query::{self, Shape, Shown, alone},
    routes, urls,
};

/// JSON for a client, HTML for a browser.
pub const MEDIA_TYPES: [&str; 2] = ["application/json", "text/html"];

pub async fn list_resources(_: Anyone, request: HttpRequest) -> Result<Root, Error> {
    let fields = alone(&request, resources)?;
    if wanted(&request, &MEDIA_TYPES)? == "text/html" {
        return Ok(Root::Browser);
    }
    let root = urls::canonical(&request);
    let url = |name: &str| (name.to_owned(), format!("{root}{name}/").into());
    let resources = routes::resources().into_iter().map(url).collect();
    Ok(Root::Client(fields.show(resources)?))
}

/// The fields of the answer.
fn resources() -> Shape {
    let names = routes::resources().into_iter();
    names.map(|name| (name.to_owned(), Vec::new())).collect()
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
            Self::Client(resources) => resources.respond_to(request),
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
        let urls: Map<String, Value> = routes::resources()
            .into_iter()
            .map(|name| (name.to_owned(), url.clone()))
            .collect();
        let schema = json!({"type": "object", "properties": urls});
        query::describe(operation, &resources());
        operation.answer(200, "The URLs of the resources.", Some(&schema), &["Vary"]);
        operation.answer(
            302,
            "A redirection to the documentation, for browsers.",
            None,
            &["Location", "Vary"],
        );
    }
}
