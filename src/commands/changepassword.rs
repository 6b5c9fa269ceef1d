use std::io::{self, Write as _};

use super::{Failure, password};
use crate::{
    config::Changepassword,
    db::{self, Db, Readiness, Target},
    models::{Action, Author, ObjectType, Stored, User, hidden_change},
};

pub fn run(target: &Target, args: &Changepassword) -> Result<(), Failure> {
    let db = Db::open(target, Readiness::MustExist)?;
    let found = db.read_blocking(|conn| Ok::<_, db::Error>(User::named(conn, &args.username)?))?;
    let none = || Failure::new(format!("there is no user {}", args.username));
    let user = found.ok_or_else(none)?;
    let hash = password::ask(&args.password, &user.username, &user.email)?;
    let id = user.id;
    let there = db.write_blocking(move |conn| {
        let user = User::held(conn, id)?;
        User::set_password(conn, id, &hash)?;
        let changes = hidden_change("password");
        Author::default().record(conn, Action::Update, (ObjectType::User, Some(id)), &changes)?;
        Ok::<_, db::Error>(user.is_some())
    });
    db.close();
    if !there? {
        return Err(none());
    }
    writeln!(
        io::stdout(),
        "the password of {} is changed, and whoever used the old one is signed out",
        user.username
    )?;
    Ok(())
}
