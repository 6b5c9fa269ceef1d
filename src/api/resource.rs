//! What differs between the models that clients write. What is the same for all is in `write.rs`.

use serde_json::{Map, Value};

use super::{Form, Readable, write::json};
use crate::{
    auth::{self, Edits, Guard},
    db::{DbConnection, Stamp},
    error::Error,
    files::Column,
    models::{Author, ObjectType, Stored},
    query::Fields,
};

/// What paths and the documentation say of a resource.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The last part of the list's path, which is also the tag: `companies`.
    pub many: &'static str,
    /// One of them with its article: `a company`.
    pub one: &'static str,
    /// What the tag says of them.
    pub tag: &'static str,
    /// A sentence about the list.
    pub list: &'static str,
    /// What follows "Creates a company.": empty, or a blank and a sentence.
    pub create: &'static str,
    /// What follows "Replaces a company.": empty, or a blank and a sentence.
    pub editors: &'static str,
    /// A sentence about deleting one.
    pub delete: &'static str,
}

/// A model whose objects are created, changed and deleted over HTTP.
pub trait Resource: Readable + Stored {
    const TYPE: ObjectType;
    const ABOUT: About;
    /// The columns of its files.
    const COLUMNS: &'static [Column];
    /// The field by which a row of a file without an id means an object.
    const MATCHED_BY: Option<&'static str> = None;
    /// Whether it has a password, which is hashed before the transaction.
    const HAS_PASSWORD: bool = false;
    /// Whether one request may create many.
    const BULK: bool = false;
    /// Who may create one.
    type Creator: Guard<By = auth::User>;
    /// Who may change one.
    type Editor: Edits<Self>;
    /// Who may delete one.
    type Remover: Edits<Self>;
    /// The writable state of an object, before it is stored.
    type Draft: Clone + Send;
    /// The objects that forms refer to and the names that are taken, looked up for all forms of a request at once.
    type Known: Default;

    /// Begins a transaction that changes or deletes an object, before the caller is judged.
    ///
    /// # Errors
    /// Those of the statements.
    fn begin(_: &mut DbConnection) -> diesel::QueryResult<()> {
        Ok(())
    }

    /// The draft of a new object by this user.
    fn blank(by: &auth::User, now: Stamp) -> Self::Draft;

    /// This object's current state as a draft.
    fn draft(self) -> Self::Draft;

    fn known(conn: &mut DbConnection, forms: &[Form]) -> diesel::QueryResult<Self::Known>;

    /// Reads a form into a draft. `id` is that of the object to change, `None` for a new one.
    fn read(
        form: &mut Form,
        draft: &mut Self::Draft,
        known: &mut Self::Known,
        by: &auth::User,
        id: Option<i64>,
    );

    /// Inserts a new object without its links, and returns its id.
    fn insert(
        conn: &mut DbConnection,
        id: Option<i64>,
        draft: &Self::Draft,
    ) -> diesel::QueryResult<i64>;

    /// Inserts the links of new objects.
    fn link(
        _: &mut DbConnection,
        _ids: &[i64],
        _drafts: &[Self::Draft],
    ) -> diesel::QueryResult<()> {
        Ok(())
    }

    /// Judges an update by what the form alone cannot tell. An import goes on, and asks at its end whether all of it
    /// [holds](Self::holds).
    ///
    /// # Errors
    /// 400 for what may not be.
    fn check(
        _: &mut DbConnection,
        _id: i64,
        _old: &Self::Draft,
        _new: &Self::Draft,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Whether what [`check`](Self::check) demands is so.
    fn holds(_: &mut DbConnection) -> diesel::QueryResult<bool> {
        Ok(true)
    }

    /// Updates an object, and returns whether the draft differs.
    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &Self::Draft,
        new: Self::Draft,
    ) -> diesel::QueryResult<bool>;

    /// Deletes the object, and records the objects that are deleted or changed with it.
    ///
    /// # Errors
    /// 400 when the object must stay.
    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error>;

    /// The objects with these ids, whole, each with its id. Objects that others have deleted meanwhile are left out.
    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> diesel::QueryResult<Vec<(i64, Self::Body)>> {
        let rows = Self::of_ids(conn, ids)?;
        let found: Vec<i64> = rows.iter().map(Stored::id).collect();
        let bodies = Self::show(conn, rows, &Fields::default())?;
        Ok(found.into_iter().zip(bodies).collect())
    }

    /// The object of this natural name, where a row of a file may mean it; see [`MATCHED_BY`](Self::MATCHED_BY).
    fn matching(_: &mut DbConnection, _name: &str) -> diesel::QueryResult<Option<Self>> {
        Ok(None)
    }

    /// The objects as an export writes them: what is shown, and what only files have.
    fn exported(
        conn: &mut DbConnection,
        rows: Vec<Self>,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let bodies = Self::show(conn, rows, &Fields::default())?;
        bodies.iter().map(members).collect()
    }

    /// Fields that the draft changes and that are never shown, such as a password.
    fn hidden(_draft: &Self::Draft) -> &'static [&'static str] {
        &[]
    }
}

/// The fields of an object as JSON.
pub(super) fn members(body: &impl serde::Serialize) -> Result<Map<String, Value>, Error> {
    match json(body)? {
        Value::Object(members) => Ok(members),
        _ => Err(Error::Internal(
            "an object is shown as something else".to_owned(),
        )),
    }
}
