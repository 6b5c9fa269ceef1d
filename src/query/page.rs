//! Cutting a page from a list.

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody};
use diesel::{
    QueryResult,
    query_dsl::methods::{FilterDsl as _, LimitDsl as _, LoadQuery as _, OrderDsl as _},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Cursor, Listed, Order, Shown};
use crate::{
    db::DbConnection,
    middleware::page_data,
    openapi::{Describe, Operation},
    render,
};

/// Which rows of a list a request wants.
pub struct Window<M: 'static> {
    pub order: Order<M>,
    /// Where the page begins; `None` for the first page.
    pub cursor: Option<Cursor>,
    /// The most rows.
    pub size: usize,
}

/// The rows of a page, in the order of the list, and the cursors of its neighbours.
#[derive(Debug)]
pub struct Slice<T> {
    pub rows: Vec<T>,
    pub next: Option<Cursor>,
    pub previous: Option<Cursor>,
}

/// A page as the API shows it: absolute URLs of its neighbours, and its objects.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<T>,
    /// What hooks add.
    #[serde(flatten)]
    pub added: Map<String, Value>,
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;

    fn respond_to(mut self, request: &HttpRequest) -> HttpResponse {
        self.added = page_data(request);
        render::ok(&self)
    }
}

impl<T: ToSchema> Describe for Page<Shown<T>> {
    fn describe(operation: &mut Operation) {
        let name = format!("{}Page", T::name());
        let schema = operation.components.named(&name, |components| {
            let url =
                |about| json!({"type": ["string", "null"], "format": "uri", "description": about});
            json!({
                "type": "object",
                "properties": {
                    "next": url("The URL of the next page."),
                    "previous": url("The URL of the previous page."),
                    "results": {"type": "array", "items": Shown::<T>::schema(components)},
                },
                "required": ["next", "previous", "results"],
            })
        });
        operation.answer(200, "One page of the list.", Some(&schema), &[]);
        operation.refuses(&[404]);
    }
}

impl<M: Listed> Window<M> {
    /// Loads the page of `query` in one statement.
    pub fn cut(&self, conn: &mut DbConnection, query: M::Query) -> QueryResult<Slice<M>> {
        let backward = self.cursor.as_ref().is_some_and(|cursor| cursor.backward);
        let query = match &self.cursor {
            Some(cursor) => {
                query.filter(self.order.seek(&cursor.place, backward, cursor.inclusive))
            }
            None => query,
        };
        // One row more than wanted shows whether there is a next page.
        let limit = i64::try_from(self.size)
            .unwrap_or(i64::MAX)
            .saturating_add(1);
        let mut rows: Vec<M> = query
            .order(self.order.sort(backward))
            .limit(limit)
            .internal_load(conn)?
            .collect::<QueryResult<_>>()?;
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        if backward {
            rows.reverse();
        }
        let (before, after) = if backward {
            (more, true)
        } else {
            (self.cursor.is_some(), more)
        };
        Ok(Slice {
            previous: before.then(|| self.beside(rows.first(), true)).flatten(),
            next: after.then(|| self.beside(rows.last(), false)).flatten(),
            rows,
        })
    }

    /// The cursor of the page beyond the edge row. An empty page leads back to where the client came from.
    fn beside(&self, edge: Option<&M>, backward: bool) -> Option<Cursor> {
        match edge {
            Some(row) => Some(Cursor {
                backward,
                inclusive: false,
                place: self.order.place(row),
            }),
            None => self.cursor.clone().map(Cursor::turned),
        }
    }
}

impl<T> Slice<T> {
    /// Replaces the rows, for example by rows with their links.
    pub fn try_map<U, E>(self, f: impl FnOnce(Vec<T>) -> Result<Vec<U>, E>) -> Result<Slice<U>, E> {
        Ok(Slice {
            rows: f(self.rows)?,
            next: self.next,
            previous: self.previous,
        })
    }
}
