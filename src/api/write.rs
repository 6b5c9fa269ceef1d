//! The one way in which objects are written: the caller is judged, the object read, stored, recorded and shown in one transaction.

use std::{
    collections::HashMap,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Method};
use serde_json::{Value, json};

use super::{
    Answer, Body, Form, Items, Resource, Transaction,
    answer::{Changed, Created, CreatedSome, Done},
    etag::Conditions,
    input::{Create, Input},
};
use crate::{
    auth::{self, Edits},
    db::{DbConnection, Stamp},
    error::{Error, FieldErrors},
    models::{Action, Author, differences, hidden_change},
    openapi::{Describe, Operation, Place},
};

/// Extractor for what a request that writes an object brings along beside its body.
pub struct Write {
    transaction: Transaction,
    conditions: Conditions,
}

impl Write {
    /// Makes an object.
    ///
    /// # Errors
    /// 400 for fields that do not fit.
    pub async fn create<R: Resource>(
        self,
        creator: R::Creator,
        body: Body<Create<R>>,
    ) -> Result<Answer<Created<R>>, Error> {
        self.create_one(creator, body).await
    }

    async fn create_one<R: Resource, A: 'static>(
        self,
        creator: R::Creator,
        body: Body<Create<R>>,
    ) -> Result<Answer<A>, Error> {
        self.conditions.check_list()?;
        let retry = body.retry();
        let work = move |conn: &mut DbConnection, by: auth::User, author: Author| {
            let form = body.form()?;
            let mut created = make::<R>(conn, &author, &by, vec![form], |mut errors| {
                Error::Fields(errors.pop().unwrap_or_default())
            })?;
            let (id, body) = created.pop().ok_or(Error::NoSuchObject(R::NAME))?;
            Answer::created(Some(id), &body)
        };
        self.transaction.once(creator, retry, work).await
    }

    /// Makes an object of an object, and as many of an array, all of them or none.
    ///
    /// # Errors
    /// 400 for fields that do not fit; for an array, one of the same length.
    pub async fn create_some<R: Resource>(
        self,
        creator: R::Creator,
        items: Items<R>,
    ) -> Result<Answer<CreatedSome<R>>, Error> {
        let (forms, retry) = match items {
            Items::One(body) => return self.create_one(creator, body).await,
            Items::Many(forms, retry) => (forms, retry),
        };
        self.conditions.check_list()?;
        let work = move |conn: &mut DbConnection, by: auth::User, author: Author| {
            let bodies: Vec<R::Body> = make::<R>(conn, &author, &by, forms, Error::Items)?
                .into_iter()
                .map(|(_, body)| body)
                .collect();
            Answer::created(None, &bodies)
        };
        self.transaction.once(creator, retry, work).await
    }

    /// Changes the object that the editor leads to.
    ///
    /// # Errors
    /// 401, 403 and 404 by the editor, 412 when the object is not as the client expects it, 400 for fields that do not fit.
    pub async fn update<R: Resource, I: Input>(
        self,
        editor: impl Edits<R>,
        body: Body<I>,
    ) -> Result<Answer<Changed<R>>, Error> {
        self.change(editor, move |conn, by, object: R| {
            let id = object.id();
            let mut form = body.form()?;
            let mut known = R::known(conn, std::slice::from_ref(&form))?;
            let old = object.draft();
            let mut draft = old.clone();
            R::read(&mut form, &mut draft, &mut known, by, Some(id));
            form.finish().into_result()?;
            let hidden = R::hidden(&draft);
            R::check(conn, id, &old, &draft)?;
            R::update(conn, id, &old, draft)?;
            Ok(hidden)
        })
        .await
    }

    /// Does `work` to the object that the editor leads to, and shows what has become of it. `work` returns the fields that
    /// changed without being shown.
    ///
    /// # Errors
    /// Those of both, and 412 when the object is not as the client expects it.
    pub async fn change<R: Resource>(
        self,
        editor: impl Edits<R>,
        work: impl FnOnce(&mut DbConnection, &auth::User, R) -> Result<&'static [&'static str], Error>
        + Send
        + 'static,
    ) -> Result<Answer<Changed<R>>, Error> {
        let conditions = self.conditions;
        self.transaction
            .begin(move |conn, author| {
                R::begin(conn)?;
                let (by, object) = editor.load(conn)?;
                let id = object.id();
                let before = shown::<R>(conn, id, &conditions)?;
                let hidden = work(conn, &by, object)?;
                let body = one::<R>(conn, id)?;
                let mut changes = differences(before, json(&body)?);
                changes.extend(hidden.iter().flat_map(|name| hidden_change(name)));
                if !changes.is_empty() {
                    author.record(conn, Action::Update, (R::TYPE, Some(id)), &changes)?;
                }
                Answer::changed(&body)
            })
            .await
    }

    /// Deletes the object that the editor leads to.
    ///
    /// # Errors
    /// 401, 403 and 404 by the editor, 412 when the object is not as the client expects it, 400 for what must stay.
    pub async fn delete<R: Resource>(self, editor: impl Edits<R>) -> Result<Answer<Done>, Error> {
        let conditions = self.conditions;
        self.transaction
            .begin(move |conn, author| {
                R::begin(conn)?;
                let (_, object) = editor.load(conn)?;
                let id = object.id();
                let before = shown::<R>(conn, id, &conditions)?;
                R::delete(conn, id, &author)?;
                record_deletion::<R>(conn, &author, id, before)?;
                Ok(Answer::done())
            })
            .await
    }
}

/// Records that an object which looked so is there no more.
///
/// # Errors
/// Those of the statement.
pub fn record_deletion<R: Resource>(
    conn: &mut DbConnection,
    author: &Author,
    id: i64,
    before: Value,
) -> Result<(), Error> {
    let changes = differences(before, Value::Null);
    author.record(conn, Action::Delete, (R::TYPE, Some(id)), &changes)?;
    Ok(())
}

/// Makes objects of forms, all of them or none.
fn make<R: Resource>(
    conn: &mut DbConnection,
    author: &Author,
    by: &auth::User,
    forms: Vec<Form>,
    refused: impl Fn(Vec<FieldErrors>) -> Error,
) -> Result<Vec<(i64, R::Body)>, Error> {
    let drafts = drafted::<R>(conn, by, forms, &refused)?;
    let rows = drafts.len() as u64;
    let ids = conn.adding(R::TABLE, rows, |conn| {
        insert_all::<R>(conn, &drafts, &refused)
    })?;
    let mut bodies: HashMap<i64, R::Body> = R::bodies(conn, &ids)?.into_iter().collect();
    let mut created = Vec::with_capacity(ids.len());
    for (id, draft) in ids.into_iter().zip(&drafts) {
        let body = bodies.remove(&id).ok_or(Error::NoSuchObject(R::NAME))?;
        let mut changes = differences(Value::Null, json(&body)?);
        changes.extend(R::hidden(draft).iter().flat_map(|name| hidden_change(name)));
        author.record(conn, Action::Create, (R::TYPE, Some(id)), &changes)?;
        created.push((id, body));
    }
    Ok(created)
}

/// What the forms say, once nothing is wrong in any of them.
fn drafted<R: Resource>(
    conn: &mut DbConnection,
    by: &auth::User,
    forms: Vec<Form>,
    refused: impl Fn(Vec<FieldErrors>) -> Error,
) -> Result<Vec<R::Draft>, Error> {
    let now = Stamp::now();
    let mut known = R::known(conn, &forms)?;
    let read = |mut form: Form| {
        let mut draft = R::blank(by, now);
        R::read(&mut form, &mut draft, &mut known, by, None);
        (draft, form.finish())
    };
    let (drafts, errors): (Vec<_>, Vec<_>) = forms.into_iter().map(read).unzip();
    if errors.iter().all(FieldErrors::is_empty) {
        Ok(drafts)
    } else {
        Err(refused(errors))
    }
}

/// Stores the drafts and their links, and returns the ids. What the database refuses, whatever was seen before, is told of the draft
/// that it refuses.
fn insert_all<R: Resource>(
    conn: &mut DbConnection,
    drafts: &[R::Draft],
    refused: impl Fn(Vec<FieldErrors>) -> Error,
) -> Result<Vec<i64>, Error> {
    let refused_at = |place: usize, error: diesel::result::Error| match error.into() {
        Error::Fields(refusal) => {
            let mut errors = vec![FieldErrors::default(); drafts.len()];
            errors[place] = refusal;
            refused(errors)
        }
        error => error,
    };
    let mut ids = Vec::with_capacity(drafts.len());
    for (place, draft) in drafts.iter().enumerate() {
        ids.push(R::insert(conn, None, draft).map_err(|error| refused_at(place, error))?);
    }
    // Where others write meanwhile, what a link refers to can be gone, so it has to be known whose link it is.
    let together = if conn.writes_alone() {
        drafts.len().max(1)
    } else {
        1
    };
    let parts = ids.chunks(together).zip(drafts.chunks(together));
    for (part, (ids, drafts)) in parts.enumerate() {
        R::link(conn, ids, drafts).map_err(|error| refused_at(part * together, error))?;
    }
    Ok(ids)
}

/// The object as it is shown, if it is as the client expects it.
fn shown<R: Resource>(
    conn: &mut DbConnection,
    id: i64,
    conditions: &Conditions,
) -> Result<Value, Error> {
    let body = one::<R>(conn, id)?;
    if conditions.are_any() {
        let bytes = serde_json::to_vec(&body).map_err(|error| Error::internal(&error))?;
        conditions.check(&bytes)?;
    }
    json(&body)
}

fn one<R: Resource>(conn: &mut DbConnection, id: i64) -> Result<R::Body, Error> {
    R::bodies(conn, &[id])?
        .pop()
        .map(|(_, body)| body)
        .ok_or(Error::NoSuchObject(R::NAME))
}

/// # Errors
/// [`Error::Internal`] when it cannot be written as JSON.
pub fn json(body: &impl serde::Serialize) -> Result<Value, Error> {
    serde_json::to_value(body).map_err(|error| Error::internal(&error))
}

impl FromRequest for Write {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let transaction = Transaction::from_request(request, payload).into_inner();
        ready(transaction.map(|transaction| Self {
            transaction,
            conditions: Conditions::of(request.headers()),
        }))
    }
}

impl Describe for Write {
    fn describe(operation: &mut Operation) {
        operation.refuses(&[412]);
        let changes = operation.method != Method::POST;
        let mut header = |name, about| {
            operation.parameter(Place::Header, name, about, json!({"type": "string"}));
        };
        if changes {
            header(
                "If-Match",
                "Only if the object has one of these entity tags.",
            );
        }
        header(
            "If-None-Match",
            "Only if what is there has none of these entity tags.",
        );
    }
}
