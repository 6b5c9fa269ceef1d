//! What differs between the models that clients write. What is the same for all is in `write.rs`.

use serde::Serialize;
use utoipa::ToSchema;

use super::Form;
use crate::{
    auth,
    db::{DbConnection, Stamp},
    error::Error,
    models::{Author, ObjectType, Stored},
};

/// A model whose objects are created, changed and deleted over HTTP.
pub trait Resource: Stored {
    const TYPE: ObjectType;
    /// An object as the API shows it.
    type Body: Serialize + ToSchema + Send + 'static;
    /// The writable state of an object, before it is stored.
    type Draft: Clone + Send;
    /// The objects that forms refer to and the names that are taken, looked up for all forms of a request at once.
    type Known: Default;

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
    fn insert(conn: &mut DbConnection, draft: &Self::Draft) -> diesel::QueryResult<i64>;

    /// Inserts the links of new objects.
    fn link(
        _: &mut DbConnection,
        _ids: &[i64],
        _drafts: &[Self::Draft],
    ) -> diesel::QueryResult<()> {
        Ok(())
    }

    /// Updates an object, if the draft differs.
    ///
    /// # Errors
    /// 400 for what the form alone cannot judge.
    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &Self::Draft,
        new: Self::Draft,
    ) -> Result<(), Error>;

    /// Deletes the object, and records the objects that are deleted or changed with it.
    ///
    /// # Errors
    /// 400 when the object must stay.
    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error>;

    /// The objects with these ids, each with its id. Objects that others have deleted meanwhile are left out.
    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> diesel::QueryResult<Vec<(i64, Self::Body)>>;

    /// Fields that the draft changes and that are never shown, such as a password.
    fn hidden(_draft: &Self::Draft) -> &'static [&'static str] {
        &[]
    }
}
