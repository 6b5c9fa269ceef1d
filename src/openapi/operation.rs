use std::sync::Arc;

use actix_web::{
    HttpRequest,
    http::Method,
    web::{Data, Json},
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    Components,
    responses::{ERRORS, response},
};
use crate::{auth::Auth, db::Reader};

/// An argument or an answer of a handler, which says what it adds to the operation.
pub trait Describe {
    fn describe(operation: &mut Operation);
}

/// Whether an operation asks who is calling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It does not.
    Nobody,
    /// A token may be sent.
    Anybody,
    /// A token must be sent.
    Users,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Query,
    Path,
    Header,
}

/// What routes say of one method: the name of its handler, and two sentences.
#[derive(Debug, Clone)]
pub struct Op {
    /// Also the `operationId`.
    id: Arc<str>,
    pub summary: String,
    /// When it answers with which error.
    refusals: String,
}

/// See [`Op`].
pub fn op(id: impl Into<Arc<str>>, summary: impl Into<String>) -> Op {
    Op {
        id: id.into(),
        summary: summary.into(),
        refusals: String::new(),
    }
}

impl Op {
    pub fn id(&self) -> Arc<str> {
        self.id.clone()
    }

    /// Says when it answers with which error.
    pub fn refuses(mut self, text: &str) -> Self {
        text.clone_into(&mut self.refusals);
        self
    }
}

/// An [Operation Object](https://spec.openapis.org/oas/v3.1.1.html#operation-object) in the making.
pub struct Operation<'a> {
    pub method: Method,
    /// The media types that its path answers in.
    pub renders: &'static [&'static str],
    security: Security,
    members: Map<String, Value>,
    parameters: Vec<Value>,
    responses: Map<String, Value>,
    pub components: &'a mut Components,
}

impl<'a> Operation<'a> {
    pub fn new(
        method: Method,
        renders: &'static [&'static str],
        op: &Op,
        components: &'a mut Components,
    ) -> Self {
        let mut members = Map::new();
        members.insert("summary".to_owned(), op.summary.as_str().into());
        if !op.refusals.is_empty() {
            members.insert("description".to_owned(), op.refusals.as_str().into());
        }
        members.insert("operationId".to_owned(), (*op.id).into());
        Self {
            method,
            renders,
            security: Security::Nobody,
            members,
            parameters: Vec::new(),
            responses: Map::new(),
            components,
        }
    }

    /// Adds a parameter.
    pub fn parameter(&mut self, place: Place, name: &str, about: &str, schema: Value) {
        self.styled_parameter(place, name, about, schema, Map::new());
    }

    /// Adds a list between commas.
    pub fn list_parameter(&mut self, name: &str, about: &str, schema: Value) {
        let style = [("style", "form".into()), ("explode", false.into())];
        let style = style.map(|(name, value): (_, Value)| (name.to_owned(), value));
        self.styled_parameter(Place::Query, name, about, schema, Map::from_iter(style));
    }

    fn styled_parameter(
        &mut self,
        place: Place,
        name: &str,
        about: &str,
        schema: Value,
        style: Map<String, Value>,
    ) {
        let place_name = match place {
            Place::Query => "query",
            Place::Path => "path",
            Place::Header => "header",
        };
        let mut parameter = json!({"name": name, "in": place_name, "description": about});
        if place == Place::Path {
            parameter["required"] = true.into();
        }
        for (name, value) in style {
            parameter[name] = value;
        }
        parameter["schema"] = schema;
        self.parameters.push(parameter);
    }

    /// Sets the body of the request.
    pub fn body(&mut self, schema: &Value) {
        let mut content = json!({"schema": schema});
        if let Some(example) = self.components.example(schema) {
            content["example"] = example;
        }
        let body = json!({"required": true, "content": {"application/json": content}});
        self.members.insert("requestBody".to_owned(), body);
    }

    /// Adds an answer in JSON, or one without a body.
    pub fn answer(&mut self, status: u16, about: &str, schema: Option<&Value>, headers: &[&str]) {
        let contents = schema.map(|schema| ("application/json", schema));
        self.answer_as(status, about, contents.as_slice(), headers);
    }

    /// Adds an answer in each of several media types. The headers are among those that all share.
    pub fn answer_as(
        &mut self,
        status: u16,
        about: &str,
        contents: &[(&str, &Value)],
        headers: &[&str],
    ) {
        let response = response(about, contents, headers);
        self.responses.insert(status.to_string(), response);
    }

    /// Adds errors of these statuses.
    pub fn refuses(&mut self, statuses: &[u16]) {
        for status in statuses {
            self.refuse(&status.to_string());
        }
    }

    /// Adds the error of several objects: what is wrong with each.
    pub fn refuses_items(&mut self) {
        let response = json!({"$ref": "#/components/responses/BadItems"});
        self.responses.insert("400".to_owned(), response);
    }

    fn refuse(&mut self, status: &str) {
        if let Some(error) = ERRORS.iter().find(|error| error.status == status) {
            let response = json!({"$ref": format!("#/components/responses/{}", error.name)});
            self.responses.entry(status).or_insert(response);
        }
    }

    /// Says that the answer has an entity tag, and is not sent again to a client that has it.
    pub fn tagged(&mut self) {
        let about = "Only if it has none of these entity tags.";
        self.parameter(
            Place::Header,
            "If-None-Match",
            about,
            json!({"type": "string"}),
        );
        if let Some(headers) = self
            .responses
            .get_mut("200")
            .and_then(|response| response.get_mut("headers"))
        {
            headers["ETag"] = json!({"$ref": "#/components/headers/ETag"});
        }
        let response = response(
            "Not modified: `If-None-Match` has the current tag.",
            &[],
            &["ETag"],
        );
        self.responses.insert("304".to_owned(), response);
    }

    /// Says who may call.
    pub fn secured(&mut self, security: Security) {
        self.security = security;
        let schemes = match security {
            Security::Nobody => json!([]),
            Security::Anybody => json!([{}, {SECURITY_SCHEME: []}]),
            Security::Users => json!([{SECURITY_SCHEME: []}]),
        };
        self.members.insert("security".to_owned(), schemes);
    }

    /// Whether there is always somebody who calls.
    pub fn is_for_users(&self) -> bool {
        self.security == Security::Users
    }

    pub fn into_value(self) -> Value {
        let Self {
            method: _,
            renders: _,
            security: _,
            mut members,
            parameters,
            mut responses,
            components: _,
        } = self;
        if !parameters.is_empty() {
            members.insert("parameters".to_owned(), parameters.into());
        }
        responses.sort_keys();
        members.insert("responses".to_owned(), responses.into());
        members.into()
    }
}

/// The name of the one way to say who is calling.
pub const SECURITY_SCHEME: &str = "jwtAuth";

/// What the server has for its handlers is nothing to a client. Among it is the database for reading, but not the one for
/// writing: a handler that takes it does not compile.
impl Describe for Data<Reader> {
    fn describe(_: &mut Operation) {}
}

impl Describe for Data<Auth> {
    fn describe(_: &mut Operation) {}
}

impl Describe for HttpRequest {
    fn describe(_: &mut Operation) {}
}

impl<T: ToSchema> Describe for Json<T> {
    fn describe(operation: &mut Operation) {
        let schema = operation.components.schema::<T>();
        operation.answer(200, "Success.", Some(&schema), &[]);
    }
}

impl<T: Describe, E> Describe for Result<T, E> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}
