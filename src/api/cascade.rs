//! Audit entries for objects that are deleted or changed together with a deleted object.

use serde_json::Value;

use super::{
    Resource,
    write::{json, record_deletion},
};
use crate::{
    db::DbConnection,
    error::Error,
    models::{Action, Author, differences},
};

/// Objects that are loaded together.
const CHUNK: usize = 500;

/// Records the deletion of these objects, before it happens.
pub fn deleted<R: Resource>(
    conn: &mut DbConnection,
    author: &Author,
    ids: &[i64],
) -> Result<(), Error> {
    each::<R>(conn, ids, |conn, id, before| {
        record_deletion::<R>(conn, author, id, before)
    })
}

/// Records that these objects lose a skill, before it happens.
pub fn unlinked<R: Resource>(
    conn: &mut DbConnection,
    author: &Author,
    ids: &[i64],
    skill: i64,
) -> Result<(), Error> {
    each::<R>(conn, ids, |conn, id, before| {
        let mut after = before.clone();
        if let Some(skills) = after.get_mut("skills").and_then(Value::as_array_mut) {
            skills.retain(|other| other["id"] != skill);
        }
        record_update::<R>(conn, author, id, before, after)
    })
}

/// Records that these objects lose their user, before it happens.
pub fn orphaned<R: Resource>(
    conn: &mut DbConnection,
    author: &Author,
    ids: &[i64],
) -> Result<(), Error> {
    each::<R>(conn, ids, |conn, id, before| {
        let mut after = before.clone();
        after["user"] = Value::Null;
        record_update::<R>(conn, author, id, before, after)
    })
}

fn record_update<R: Resource>(
    conn: &mut DbConnection,
    author: &Author,
    id: i64,
    before: Value,
    after: Value,
) -> Result<(), Error> {
    let changes = differences(before, after);
    if !changes.is_empty() {
        author.record(conn, Action::Update, (R::TYPE, Some(id)), &changes)?;
    }
    Ok(())
}

/// Locks and loads the objects that still exist, so that the entries say what the deletion does.
fn each<R: Resource>(
    conn: &mut DbConnection,
    ids: &[i64],
    mut record: impl FnMut(&mut DbConnection, i64, Value) -> Result<(), Error>,
) -> Result<(), Error> {
    for ids in ids.chunks(CHUNK) {
        let held = conn.hold_all(R::TABLE, ids)?;
        for (id, body) in R::bodies(conn, &held)? {
            record(conn, id, json(&body)?)?;
        }
    }
    Ok(())
}
