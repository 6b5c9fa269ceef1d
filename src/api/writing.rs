//! Writing: creating, changing and deleting, written once for every resource.

use actix_web::web::Data;

use super::{
    Answer, Body, Changed, Create, Created, CreatedSome, Done, Items, Patch, Resource, Update,
    Write,
};
use crate::{auth::Auth, error::Error, query::NoParams};

/// POST of one object to a list.
pub async fn create<R: Resource>(
    creator: R::Creator,
    write: Write,
    auth: Data<Auth>,
    body: Body<Create<R>>,
) -> Result<Answer<Created<R>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.create(creator, body).await
}

/// POST of one object or of an array to a list.
pub async fn create_some<R: Resource>(
    creator: R::Creator,
    write: Write,
    items: Items<R>,
) -> Result<Answer<CreatedSome<R>>, Error> {
    write.create_some(creator, items).await
}

/// PUT of a whole object.
pub async fn update<R: Resource>(
    editor: R::Editor,
    write: Write,
    auth: Data<Auth>,
    body: Body<Update<R>>,
) -> Result<Answer<Changed<R>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(editor, body).await
}

/// PATCH of some fields.
pub async fn partial_update<R: Resource>(
    editor: R::Editor,
    write: Write,
    auth: Data<Auth>,
    body: Body<Patch<R>>,
) -> Result<Answer<Changed<R>>, Error> {
    let body = body.hash_password(&auth).await?;
    write.update(editor, body).await
}

/// DELETE of an object.
pub async fn delete<R: Resource>(
    remover: R::Remover,
    _: NoParams,
    write: Write,
) -> Result<Answer<Done>, Error> {
    write.delete(remover).await
}
