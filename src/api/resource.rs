//! What there is to say of a model whose objects clients write; the rest is the same for all of them and in `write.rs`.

use serde::Serialize;
use utoipa::ToSchema;

use super::Form;
use crate::{
    auth,
    db::{DbConnection, Stamp},
    error::Error,
    models::{Author, ObjectType, Stored},
};

/// A model whose objects are made, changed and deleted over HTTP.
pub trait Resource: Stored {
    const TYPE: ObjectType;
    /// An object as the API shows it.
    type Body: Serialize + ToSchema + Send + 'static;
    /// An object to be, or what one is to become.
    type Draft: Clone + Send;
    /// What forms refer to and names that are taken, looked up for all forms of a request at once.
    type Known: Default;

    /// The draft of an object that `by` makes.
    fn blank(by: &auth::User, now: Stamp) -> Self::Draft;

    /// The draft of this object as it is.
    fn draft(self) -> Self::Draft;

    /// # Errors
    /// Those of the statements.
    fn known(conn: &mut DbConnection, forms: &[Form]) -> diesel::QueryResult<Self::Known>;

    /// Reads a form into a draft; `id` is that of the object to be changed.
    fn read(
        form: &mut Form,
        draft: &mut Self::Draft,
        known: &mut Self::Known,
        by: &auth::User,
        id: Option<i64>,
    );

    /// Stores a new object, but for its links, and returns its id.
    ///
    /// # Errors
    /// Those of the statements.
    fn insert(conn: &mut DbConnection, draft: &Self::Draft) -> diesel::QueryResult<i64>;

    /// Stores the links of new objects.
    ///
    /// # Errors
    /// Those of the statements.
    fn link(
        _: &mut DbConnection,
        _ids: &[i64],
        _drafts: &[Self::Draft],
    ) -> diesel::QueryResult<()> {
        Ok(())
    }

    /// Stores what an object is to become, if that is another thing.
    ///
    /// # Errors
    /// 400 for what the form could not tell, and those of the statements.
    fn update(
        conn: &mut DbConnection,
        id: i64,
        old: &Self::Draft,
        new: Self::Draft,
    ) -> Result<(), Error>;

    /// Deletes the object, and records what goes or changes with it.
    ///
    /// # Errors
    /// 400 for what must stay, and those of the statements.
    fn delete(conn: &mut DbConnection, id: i64, author: &Author) -> Result<(), Error>;

    /// Those of these objects that are there, each with its id: others may have deleted some.
    ///
    /// # Errors
    /// Those of the statements.
    fn bodies(conn: &mut DbConnection, ids: &[i64]) -> diesel::QueryResult<Vec<(i64, Self::Body)>>;

    /// Fields that change without being shown.
    fn hidden(_draft: &Self::Draft) -> &'static [&'static str] {
        &[]
    }
}
