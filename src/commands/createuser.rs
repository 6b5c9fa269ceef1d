use std::io::{self, Write as _};

use serde_json::Value;

use super::{Failure, open_or_make, password};
use crate::{
    auth::PasswordHash,
    config::Createuser,
    db::{self, DbConnection, Stamp, Target},
    models::{
        Action, Author, ObjectType, Stored, User, UserDraft, differences, hidden_change, unwritable,
    },
    rules,
};

pub fn run(target: &Target, args: &Createuser) -> Result<(), Failure> {
    let username = User::check_username(&args.username)
        .map_err(|message| Failure::new(format!("username: {message}")))?;
    let email = User::check_email(&args.email)
        .map_err(|message| Failure::new(format!("email: {message}")))?;
    let db = open_or_make(target)?;
    let taken = || Failure::new(format!("username: {}", rules::taken("user", "username")));
    // Checked before the user types a password in vain.
    if db.read_blocking(|conn| Ok::<_, db::Error>(User::named(conn, &username)?.is_some()))? {
        return Err(taken());
    }
    let hash = password::ask(&args.password, &username, &email)?;
    let draft = UserDraft {
        username: username.clone(),
        email,
        is_staff: args.staff,
        ..UserDraft::new(Stamp::now())
    };
    let made = db.write_blocking(move |conn| make(conn, &draft, &hash));
    db.close();
    match made {
        Ok(()) => {}
        Err(db::Error::Taken { .. }) => return Err(taken()),
        Err(error) => return Err(error.into()),
    }
    let kind = if args.staff { "staff user" } else { "user" };
    writeln!(io::stdout(), "{kind} {username} made")?;
    Ok(())
}

/// Stores a new user and its entry in the audit trail.
pub fn make(
    conn: &mut DbConnection,
    draft: &UserDraft,
    hash: &PasswordHash,
) -> Result<(), db::Error> {
    let id = draft.insert(conn, None, hash)?;
    let made = User::find(conn, id)?;
    let shown = serde_json::to_value(made).map_err(unwritable)?;
    let mut changes = differences(Value::Null, shown);
    changes.extend(hidden_change("password"));
    Author::default().record(conn, Action::Create, (ObjectType::User, Some(id)), &changes)?;
    Ok(())
}
