//! Reading: lists and single objects, written once for every resource.

use actix_web::web::Data;
use diesel::QueryResult;

use super::Id;
use crate::{
    auth::Guard,
    db::{DbConnection, Reader},
    error::Error,
    models::Stored,
    query::{Detail, Fields, Filtered, Frame, List, Page, Shown, Slice},
};

/// A model whose objects are read over HTTP.
pub trait Readable: Filtered {
    /// Who may read.
    type Reader: Guard;

    /// The objects that the reader may see. A column that no shown field needs may be left out.
    fn visible(reader: &Self::Reader, fields: &Fields) -> Self::Query;

    /// The rows as the API shows them, as many and in their order. What no shown field needs is not loaded.
    fn show(
        conn: &mut DbConnection,
        rows: Vec<Self>,
        fields: &Fields,
    ) -> QueryResult<Vec<Self::Body>>;
}

/// GET of a list.
pub async fn list<R: Readable>(
    reader: R::Reader,
    db: Data<Reader>,
    list: List<R>,
) -> Result<Page<Shown<R::Body>>, Error> {
    let (slice, frame) = db
        .read(move |conn| {
            let query = R::visible(&reader, list.fields());
            load(conn, list, query)
        })
        .await?;
    frame.page(slice)
}

/// GET of one object.
pub async fn get<R: Readable + Stored>(
    reader: R::Reader,
    db: Data<Reader>,
    id: Id<R>,
    detail: Detail<R>,
) -> Result<Shown<R::Body>, Error> {
    let fields = detail.fields.clone();
    let object = db
        .read(move |conn| {
            let query = R::visible(&reader, &fields);
            let row = id.found(R::find_among(conn, query, id.get())?)?;
            id.found(R::show(conn, vec![row], &fields)?.pop())
        })
        .await?;
    detail.fields.show(object)
}

/// Loads the page of `query` that was asked for, with what is shown of other tables.
pub fn load<R: Readable>(
    conn: &mut DbConnection,
    list: List<R>,
    query: R::Query,
) -> Result<(Slice<R::Body>, Frame), Error> {
    let (slice, frame) = list.load(conn, query)?;
    let slice = slice.try_map(|rows| R::show(conn, rows, frame.fields()))?;
    Ok((slice, frame))
}
