use std::sync::OnceLock;

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use super::{
    Components, Operation,
    operation::SECURITY_SCHEME,
    responses::{errors, headers},
    yaml::to_yaml,
};
use crate::{
    endpoint::{Described, Endpoint},
    error::Error,
    routes,
};

/// The document, and its two spellings.
#[derive(Debug)]
pub struct Document {
    pub value: Value,
    pub json: String,
    pub yaml: String,
}

static DOCUMENT: OnceLock<Document> = OnceLock::new();

/// The document of this binary, made when it is first asked for.
///
/// # Errors
/// [`Error::Internal`] when it cannot be written.
pub fn document() -> Result<&'static Document, Error> {
    if let Some(document) = DOCUMENT.get() {
        return Ok(document);
    }
    let document = Document::of(routes::endpoints())?;
    Ok(DOCUMENT.get_or_init(|| document))
}

impl Document {
    fn of(endpoints: Vec<Endpoint>) -> Result<Self, Error> {
        let fault = |reason: String| Error::Internal(format!("OpenAPI: {reason}"));
        let value = describe(endpoints);
        let json = serde_json::to_string(&value).map_err(|error| fault(error.to_string()));
        Ok(Self {
            json: json?,
            yaml: to_yaml(&value),
            value,
        })
    }
}

const ABOUT: &str = "\
A directory of companies, developers, skills and projects.

Lists are read page by page: `next` and `previous` are the URLs of the neighbours. A parameter that is not known is an \
error, and so is a field. Every path also answers without its trailing slash, HEAD wherever there is GET, and OPTIONS with \
what it allows. A token for *Authorize* comes from `POST /api/token/`: the `access` of its answer.";

fn describe(endpoints: Vec<Endpoint>) -> Value {
    let mut components = Components::default();
    let errors = errors(&mut components);
    let mut paths: Map<String, Value> = endpoints
        .into_iter()
        .map(|endpoint| {
            let (path, operations) = endpoint.described();
            let operations = operations
                .into_iter()
                .map(|described| operation(&path, described, &mut components));
            (path.to_string(), operations.collect::<Map<_, _>>().into())
        })
        .collect();
    link(&mut paths);
    let tags: Vec<Value> = routes::tags()
        .into_iter()
        .map(|(name, about)| json!({"name": name, "description": about}))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "roster",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": components.into_schemas(),
            "responses": errors,
            "headers": headers(),
            "securitySchemes": {
                SECURITY_SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The `access` token of `POST /api/token/`.",
                },
            },
        },
    })
}

/// The name of a method in a Path Item Object, and what stands there.
fn operation(path: &str, described: Described, components: &mut Components) -> (String, Value) {
    let Described {
        method,
        renders,
        op,
        describe,
    } = described;
    let name = method.as_str().to_ascii_lowercase();
    let reads = method == Method::GET;
    let mut operation = Operation::new(method, renders, &op, components);
    operation.refuses(&[406, 414, 431, 500, 503]);
    describe(&mut operation);
    if reads {
        operation.tagged();
    }
    let mut operation = operation.into_value();
    operation["tags"] = json!([tag(path)]);
    (name, operation)
}

/// The tag of a path: the resource, or what else it is about.
fn tag(path: &str) -> &str {
    let resource = path
        .strip_prefix("/api/")
        .map(|rest| rest.split('/').next().unwrap_or(rest));
    match resource {
        None => "health",
        Some("" | "schema" | "docs") => "about",
        Some(resource) => resource,
    }
}

/// Links what makes an object to what can be done with it.
fn link(paths: &mut Map<String, Value>) {
    let lists: Vec<String> = paths.keys().cloned().collect();
    for list in lists {
        let object = format!("{list}{{id}}/");
        let Some(Value::Object(operations)) = paths.get(&object) else {
            continue;
        };
        let ids = operations
            .values()
            .filter_map(|operation| operation["operationId"].as_str());
        let links: Map<String, Value> = ids
            .map(|id| {
                let link = json!({"operationId": id, "parameters": {"id": "$response.body#/id"}});
                (id.to_owned(), link)
            })
            .collect();
        if let Some(created) = paths
            .get_mut(&list)
            .and_then(|item| item.pointer_mut("/post/responses/201"))
        {
            created["links"] = links.into();
        }
    }
}
