//! What a request asks of a list, and the answer's frame.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{Cursor, Listed, Page, Params, Slice, Window};
use crate::{
    db::DbConnection,
    error::{Error, FieldErrors},
    rules::{self, UNKNOWN_PARAMETER},
    urls,
};

/// Rows of a page when nothing is asked.
pub const PAGE_SIZE: usize = 25;
/// Filters at most: SQLite takes no deeper expressions than 1,000.
pub const FILTERS_MAX: usize = 100;
/// Rows of a page at most.
pub const PAGE_SIZE_MAX: usize = 100;

/// Something that narrows a query.
pub type Scope<M> = Box<dyn FnOnce(<M as Listed>::Query) -> <M as Listed>::Query + Send>;

/// A query parameter that narrows the list. Repeated, it narrows again.
pub struct Filter<M: Listed> {
    pub name: &'static str,
    /// Reads the parameter's value, or says what is wrong with it.
    pub parse: fn(&str) -> Result<Scope<M>, String>,
}

/// A model whose lists can be narrowed by query parameters.
pub trait Filtered: Listed {
    const FILTERS: &'static [Filter<Self>];
}

/// Extractor for the list of `M` that the query string asks for. Every parameter of it is known and valid.
pub struct List<M: Listed> {
    scopes: Vec<Scope<M>>,
    window: Window,
    frame: Frame,
}

/// What is left when the rows have been asked for: how to write the links to the neighbours.
pub struct Frame {
    base: String,
    params: Params,
    context: String,
}

impl<M: Listed> List<M> {
    /// Loads the page of `query` that was asked for.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn load(
        self,
        conn: &mut DbConnection,
        query: M::Query,
    ) -> Result<(Slice<M>, Frame), Error> {
        let query = self
            .scopes
            .into_iter()
            .fold(query, |query, scope| scope(query));
        Ok((self.window.cut(conn, query)?, self.frame))
    }
}

impl Frame {
    /// Frames the objects made from the slice's rows.
    pub fn page<T, U: From<T>>(&self, slice: Slice<T>) -> Page<U> {
        let link = |cursor: Option<Cursor>| {
            cursor.map(|cursor| {
                format!(
                    "{}?{}",
                    self.base,
                    self.params.with("cursor", &cursor.encode(&self.context))
                )
            })
        };
        Page {
            next: link(slice.next),
            previous: link(slice.previous),
            results: slice.rows.into_iter().map(U::from).collect(),
        }
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
    let mut scopes = Vec::new();
    let mut narrowing = BTreeSet::new();
    for (name, value) in params.iter() {
        if let Some(filter) = M::FILTERS.iter().find(|filter| filter.name == name) {
            // What is said twice narrows no further.
            if !narrowing.insert((name, value)) {
                continue;
            }
            if narrowing.len() > FILTERS_MAX {
                errors.add(
                    name,
                    &format!("Ensure there are no more than {FILTERS_MAX} filters."),
                );
                break;
            }
            match (filter.parse)(value) {
                Ok(scope) => scopes.push(scope),
                Err(message) => errors.add(name, &message),
            }
        } else if !matches!(name, "cursor" | "page_size") {
            errors.add(name, UNKNOWN_PARAMETER);
        }
    }
    let size = params
        .last("page_size")
        .map_or(Ok(PAGE_SIZE), page_size)
        .unwrap_or_else(|message| {
            errors.add("page_size", &message);
            PAGE_SIZE
        });
    errors.into_result()?;

    let context = context::<M>(request.path(), &narrowing);
    let cursor = match params.last("cursor").filter(|text| !text.is_empty()) {
        Some(text) => Some(
            Cursor::decode(text, &context)
                .filter(|cursor| M::ORDER.fits(&cursor.place))
                .ok_or(Error::InvalidCursor)?,
        ),
        None => None,
    };
    let frame = Frame {
        base: urls::canonical(request),
        params,
        context,
    };
    Ok(List {
        scopes,
        window: Window { cursor, size },
        frame,
    })
}

fn page_size(text: &str) -> Result<usize, String> {
    let size = rules::integer(text, &(1..=i64::MAX))?;
    Ok(usize::try_from(size).map_or(PAGE_SIZE_MAX, |size| size.min(PAGE_SIZE_MAX)))
}

/// What a cursor is bound to: the list, its order, and its filters in whatever sequence they were given.
fn context<M: Listed>(path: &str, narrowing: &BTreeSet<(&str, &str)>) -> String {
    let mut context = format!("{} {}", path.trim_end_matches('/'), M::ORDER.spelled());
    for (name, value) in narrowing {
        let _ = write!(context, "\n{name}={}:{value}", value.len());
    }
    context
}
