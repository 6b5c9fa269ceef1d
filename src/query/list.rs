//! What a request asks of a list, and the answer's frame.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use diesel::query_dsl::methods::FilterDsl as _;
use serde::Serialize;
use serde_json::{Map, json};
use utoipa::ToSchema;

use super::{
    Condition, Cursor, FORMAT, Fields, Listed, Order, Page, Params, Shown, Slice, Window,
    field::{TEXT_MAX, text},
    fields::{self, shape},
    params::unknown,
    search::wanted,
};
use crate::{
    db::DbConnection,
    error::{Error, FieldErrors},
    openapi::{Describe, Operation, Place},
    rules, urls,
};

/// The parameters that say how the list is shown, not what is in it.
const PAGING: [&str; 5] = ["cursor", "fields", FORMAT, "ordering", "page_size"];
/// Rows of a page when nothing is asked.
pub const PAGE_SIZE: usize = 25;
/// Filters at most, so that with all their values they stay within SQLite's 32,766 parameters of a statement.
pub const FILTERS_MAX: usize = 100;
/// Filters at most that check a row with a sub-select each. All of them together cost a row some 10 µs.
pub const SUB_SELECTS_MAX: usize = 10;
/// Names in all filters at most: all are looked up in one statement, each with how common it is.
pub const NAMES_MAX: usize = 500;
/// Rows of a page at most.
pub const PAGE_SIZE_MAX: usize = 100;

/// A query parameter that narrows the list. Repeated, it narrows again.
pub struct Filter {
    pub name: &'static str,
    /// What it asks for.
    pub about: &'static str,
    pub values: Values,
    /// Reads the parameter's value, or says what is wrong with it.
    pub parse: fn(&str) -> Result<Condition, String>,
}

/// How the values of a [`Filter`] are written.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    Boolean,
    /// One in a parameter, which may be repeated.
    Text,
    /// Several between commas, up to that many.
    Texts(usize),
    /// As the regular expression says, which is that of JSON Schema.
    Pattern(fn() -> String),
}

/// A model whose lists are served.
pub trait Filtered: Listed {
    /// An object as the API shows it.
    type Body: Serialize + ToSchema + Send + 'static;

    /// Query parameters beside those of its [fields](Listed::FIELDS).
    const FILTERS: &'static [Filter] = &[];
}

/// Extractor for the list of `M` that the query string asks for. Every parameter of it is known and valid.
pub struct List<M: Listed> {
    condition: Condition,
    window: Window<M>,
    frame: Frame,
}

/// What is left when the rows have been asked for: how to write the links to the neighbours.
pub struct Frame {
    base: String,
    params: Params,
    context: String,
    fields: Fields,
}

impl<M: Listed> List<M> {
    /// Which fields of the objects are shown: what is not need not be loaded.
    pub fn fields(&self) -> &Fields {
        &self.frame.fields
    }

    /// Loads the page of `query` that was asked for.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn load(
        self,
        conn: &mut DbConnection,
        query: M::Query,
    ) -> Result<(Slice<M>, Frame), Error> {
        let query = match self.condition {
            Condition::All(conditions) if conditions.is_empty() => query,
            condition => query.filter(condition.settled(conn)?.of()),
        };
        Ok((self.window.cut(conn, query)?, self.frame))
    }
}

impl Frame {
    /// As [`List::fields`].
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Frames the objects made from the slice's rows.
    ///
    /// # Errors
    /// When something of it cannot be written as JSON.
    pub fn page<T, U: From<T> + Serialize>(
        &self,
        slice: Slice<T>,
    ) -> Result<Page<Shown<U>>, Error> {
        let link = |cursor: Cursor| {
            let cursor = cursor
                .encode(&self.context)
                .map_err(|error| Error::internal(&error))?;
            Ok::<_, Error>(format!(
                "{}?{}",
                self.base,
                self.params.with("cursor", &cursor)
            ))
        };
        Ok(Page {
            next: slice.next.map(link).transpose()?,
            previous: slice.previous.map(link).transpose()?,
            results: slice
                .rows
                .into_iter()
                .map(|row| self.fields.show(U::from(row)))
                .collect::<Result<_, _>>()?,
            added: Map::new(),
        })
    }
}

impl<M: Filtered> FromRequest for List<M> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

fn read<M: Filtered>(request: &HttpRequest) -> Result<List<M>, Error> {
    let params = Params::parse(request.query_string());
    let mut errors = FieldErrors::default();
    let (asked, conditions) = read_filters::<M>(&params, &mut errors);
    let size = params.last("page_size").map_or(Ok(PAGE_SIZE), page_size);
    let size = size
        .map_err(|message| errors.add("page_size", &message))
        .unwrap_or(PAGE_SIZE);
    let order = Order::parse(params.last("ordering").unwrap_or_default())
        .map_err(|message| errors.add("ordering", &message))
        .unwrap_or_else(|()| Order::default_of_list());
    let fields = Fields::parse(&params, shape::<M::Body>);
    let fields = fields
        .map_err(|message| errors.add("fields", &message))
        .unwrap_or_default();
    errors.into_result()?;

    let context = context(request.path(), &order.spelled(), &asked);
    let cursor = match params.last("cursor").filter(|text| !text.is_empty()) {
        Some(text) => {
            let cursor = Cursor::decode(text, &context).filter(|cursor| order.fits(&cursor.place));
            Some(cursor.ok_or(Error::InvalidCursor)?)
        }
        None => None,
    };
    let frame = Frame {
        base: urls::canonical(request),
        params,
        context,
        fields,
    };
    Ok(List {
        condition: Condition::All(conditions),
        window: Window {
            order,
            cursor,
            size,
        },
        frame,
    })
}

/// The parameters that narrow the list, each once, and what they ask.
fn read_filters<'a, M: Filtered>(
    params: &'a Params,
    errors: &mut FieldErrors,
) -> (BTreeSet<(&'a str, &'a str)>, Vec<Condition>) {
    let (mut conditions, mut sub_selects, mut names) = (Vec::new(), 0, 0);
    let mut asked = BTreeSet::new();
    for (name, value) in params.iter().filter(|(name, _)| !PAGING.contains(name)) {
        // What is said twice narrows no further.
        if !asked.insert((name, value)) {
            continue;
        }
        if asked.len() > FILTERS_MAX {
            errors.add(
                name,
                &format!("Ensure there are no more than {FILTERS_MAX} filters."),
            );
            break;
        }
        if errors.is_full() {
            break;
        }
        match condition::<M>(name, value) {
            Some(Ok(condition)) => {
                sub_selects += usize::from(condition.is_sub_select());
                names += condition.names();
                if sub_selects > SUB_SELECTS_MAX || names > NAMES_MAX {
                    let (most, what) = if names > NAMES_MAX {
                        (NAMES_MAX, "names in all filters together")
                    } else {
                        (SUB_SELECTS_MAX, "filters across relations")
                    };
                    errors.add(
                        name,
                        &format!("Ensure there are no more than {most} {what}."),
                    );
                    break;
                }
                conditions.push(condition);
            }
            Some(Err(message)) => errors.add(name, &message),
            None => errors.add(name, &unknown(name, parameters::<M>())),
        }
    }
    (asked, conditions)
}

/// What the parameter asks of a row; `None` when there is no such parameter.
fn condition<M: Filtered>(name: &str, value: &str) -> Option<Result<Condition, String>> {
    if let Some(has_word) = M::HAS_WORD.filter(|_| name == "search") {
        let has_all =
            |words: Vec<String>| Condition::All(words.iter().map(|word| has_word(word)).collect());
        return Some(wanted(value).map(has_all));
    }
    if let Some(filter) = M::FILTERS.iter().find(|filter| filter.name == name) {
        return Some((filter.parse)(value));
    }
    let (field, lookup) = M::FIELDS
        .iter()
        .find_map(|field| Some((field, field.lookup(name)?)))?;
    Some(field.condition(lookup, value))
}

impl<M: Filtered> Describe for List<M> {
    fn describe(operation: &mut Operation) {
        let mut query = |name: &str, about: &str, schema| {
            operation.parameter(Place::Query, name, about, schema);
        };
        query(
            "cursor",
            "A position in the list, from `next` or `previous`.",
            json!({"type": "string"}),
        );
        let about =
            format!("Objects of a page; more than {PAGE_SIZE_MAX} count as {PAGE_SIZE_MAX}.");
        query(
            "page_size",
            &about,
            json!({"type": "integer", "minimum": 1, "default": PAGE_SIZE}),
        );
        if M::HAS_WORD.is_some() {
            let about = "Every word must begin some word of the object's text, in any letter case, with or without accents.";
            query(
                "search",
                about,
                json!({"type": "string", "maxLength": TEXT_MAX}),
            );
        }
        for filter in M::FILTERS {
            filter.describe(operation);
        }
        for field in M::FIELDS {
            field.describe(operation);
        }
        let orders = M::FIELDS.iter().filter(|field| field.is_sorted());
        let orders: Vec<String> = orders
            .flat_map(|field| [field.name.to_owned(), format!("-{}", field.name)])
            .chain([String::new()])
            .collect();
        let schema = json!({"type": "array", "items": {"type": "string", "enum": orders}, "default": [M::DEFAULT_ORDER]});
        operation.list_parameter(
            "ordering",
            "The fields to order by; with `-` the other way round. A blank is none.",
            schema,
        );
        fields::describe(operation, &shape::<M::Body>());
    }
}

impl Filter {
    fn describe(&self, operation: &mut Operation) {
        let Self { name, about, .. } = self;
        let mut one = |schema| operation.parameter(Place::Query, name, about, schema);
        match self.values {
            Values::Boolean => one(json!({"type": "boolean"})),
            Values::Text => one(json!({"type": "array", "items": text()})),
            Values::Pattern(pattern) => one(json!({"type": "string", "pattern": pattern()})),
            Values::Texts(max) => {
                let item = json!({"type": "string", "pattern": format!("^{ITEM}$")});
                let schema =
                    json!({"type": "array", "items": item, "minItems": 1, "maxItems": max});
                operation.list_parameter(name, about, schema);
            }
        }
    }
}

/// What stands between commas, as a regular expression.
pub const ITEM: &str = r"[^,\u0000]*[^,\s\u0000\u001c-\u001f\u0085][^,\u0000]*";

/// Every parameter that the list takes.
fn parameters<M: Filtered>() -> impl Iterator<Item = String> {
    let named = M::FILTERS.iter().map(|filter| filter.name.to_owned());
    let fields = M::FIELDS.iter().flat_map(|field| {
        field
            .lookups()
            .map(move |lookup| format!("{}{}", field.name, lookup.suffix()))
    });
    named
        .chain(fields)
        .chain(M::HAS_WORD.map(|_| "search".to_owned()))
        .chain(PAGING.map(ToOwned::to_owned))
}

fn page_size(text: &str) -> Result<usize, String> {
    let size = rules::at_least(text, 1)?;
    Ok(usize::try_from(size).map_or(PAGE_SIZE_MAX, |size| size.min(PAGE_SIZE_MAX)))
}

/// What a cursor is bound to: the list, its order, and its filters in whatever sequence they were given.
fn context(path: &str, order: &str, asked: &BTreeSet<(&str, &str)>) -> String {
    let mut context = format!("{} {order}", path.trim_end_matches('/'));
    for (name, value) in asked {
        let _ = write!(context, "\n{name}={}:{value}", value.len());
    }
    context
}
