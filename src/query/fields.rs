//! Sparse fields: `?fields=id,company.name` shows only those.

use std::{
    collections::BTreeSet,
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, body::BoxBody, dev::Payload};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{FORMAT, Filtered, Params, params::unknown};
use crate::{
    error::{Error, FieldErrors},
    openapi::{Components, Describe, Operation},
    render,
    text::phrase,
};

/// The fields of an object as the API shows it, each with the fields of the object or objects that it holds.
pub type Shape = Vec<(String, Vec<String>)>;

/// The shape of a `T`, read from its schema.
pub fn shape<T: ToSchema>() -> Shape {
    let mut components = Components::default();
    let whole = components.schema::<T>();
    let names = |schema: &Value| -> Vec<String> {
        let properties = schema["properties"].as_object();
        properties
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect()
    };
    let inner = |property: &Value| {
        let one = components.get(property);
        one.or_else(|| components.get(&property["items"]))
            .map_or_else(Vec::new, names)
    };
    let properties = components
        .get(&whole)
        .and_then(|whole| whole["properties"].as_object());
    let properties = properties.into_iter().flatten();
    properties
        .map(|(name, property)| (name.clone(), inner(property)))
        .collect()
}

/// Which fields of an object are shown; all of them unless asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Option<BTreeSet<(String, Option<String>)>>);

impl Fields {
    /// Reads the parameter `fields` for objects of this shape.
    ///
    /// # Errors
    /// The message for a field that they do not have.
    pub fn parse(params: &Params, shape: impl FnOnce() -> Shape) -> Result<Self, String> {
        let Some(text) = params.last("fields") else {
            return Ok(Self::default());
        };
        let shape = shape();
        let read = |name: &str| {
            let (outer, inner) = name
                .split_once('.')
                .map_or((name, None), |(outer, inner)| (outer, Some(inner)));
            let (_, inners) = shape.iter().find(|(known, _)| known == outer)?;
            inner
                .is_none_or(|inner| inners.iter().any(|known| known == inner))
                .then(|| (outer.to_owned(), inner.map(ToOwned::to_owned)))
        };
        let fields = text
            .split(',')
            .map(str::trim)
            .map(|name| read(name).ok_or_else(|| format!("Unknown field: {name}.")));
        fields
            .collect::<Result<_, _>>()
            .map(|fields| Self(Some(fields)))
    }

    /// Whether anything of this field is shown.
    pub fn contains(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|fields| fields.iter().any(|(outer, _)| outer == name))
    }

    /// The object with these fields alone, in its own order.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn show<T: Serialize>(&self, object: T) -> Result<Shown<T>, Error> {
        let Some(fields) = &self.0 else {
            return Ok(Shown::Whole(object));
        };
        let mut value = serde_json::to_value(object).map_err(|error| Error::internal(&error))?;
        if let Value::Object(members) = &mut value {
            members.retain(|name, member| {
                let inner: Vec<_> = fields
                    .iter()
                    .filter(|(outer, _)| outer == name)
                    .map(|(_, inner)| inner)
                    .collect();
                // The field by its bare name is all of it, whatever else is said of it.
                if !inner.contains(&&None) {
                    prune(
                        member,
                        &inner
                            .iter()
                            .filter_map(|inner| inner.as_deref())
                            .collect::<Vec<_>>(),
                    );
                }
                !inner.is_empty()
            });
        }
        Ok(Shown::Part(value))
    }
}

fn prune(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => members.retain(|name, _| names.contains(&name.as_str())),
        Value::Array(values) => values.iter_mut().for_each(|value| prune(value, names)),
        _ => {}
    }
}

/// An object as it goes over the wire.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Shown<T> {
    Whole(T),
    Part(Value),
}

impl<T: Serialize> Responder for Shown<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        render::ok(&self)
    }
}

impl<T: ToSchema> Shown<T> {
    /// All of the object, or the part that the parameter `fields` asks for.
    pub fn schema(components: &mut Components) -> Value {
        let whole = components.schema::<T>();
        let part = components.sparse(&whole);
        json!({"anyOf": [whole, part]})
    }
}

impl<T: ToSchema> Describe for Shown<T> {
    fn describe(operation: &mut Operation) {
        let schema = Self::schema(operation.components);
        let about = format!("The {}.", phrase(&T::name()));
        operation.answer(200, &about, Some(&schema), &[]);
    }
}

/// Extractor for the query string of a detail of `M`: `fields`, and nothing else.
pub struct Detail<M> {
    pub fields: Fields,
    model: PhantomData<fn(M)>,
}

impl<M: Filtered> FromRequest for Detail<M> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(alone(request, shape::<M::Body>).map(|fields| Self {
            fields,
            model: PhantomData,
        }))
    }
}

impl<M: Filtered> Describe for Detail<M> {
    fn describe(operation: &mut Operation) {
        describe(operation, &shape::<M::Body>());
    }
}

/// Describes the parameter `fields`.
pub fn describe(operation: &mut Operation, shape: &Shape) {
    let names: Vec<String> = shape
        .iter()
        .flat_map(|(outer, inners)| {
            let inners = inners.iter().map(move |inner| format!("{outer}.{inner}"));
            std::iter::once(outer.clone()).chain(inners)
        })
        .collect();
    let schema =
        json!({"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1});
    operation.list_parameter("fields", "Only these fields of each object.", schema);
    operation.refuses(&[400]);
}

/// Reads a query string that may hold `fields`, of objects of this shape, and nothing else.
///
/// # Errors
/// 400 for any other parameter, and for a field that they do not have.
pub fn alone(request: &HttpRequest, shape: impl FnOnce() -> Shape) -> Result<Fields, Error> {
    let params = Params::parse(request.query_string());
    let mut errors = FieldErrors::default();
    let is_known = |name: &str| ["fields", FORMAT].contains(&name);
    for (name, _) in params.iter().filter(|(name, _)| !is_known(name)) {
        if errors.is_full() {
            break;
        }
        errors.add(name, &unknown(name, ["fields".to_owned()].into_iter()));
    }
    let fields = Fields::parse(&params, shape).map_err(|message| errors.add("fields", &message));
    errors.into_result()?;
    Ok(fields.unwrap_or_default())
}
