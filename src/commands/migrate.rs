use std::io::{self, Write as _};

use super::Failure;
use crate::{
    config::Migrate,
    db::{self, Target},
};

pub fn run(target: &Target, args: &Migrate) -> Result<(), Failure> {
    let (names, done) = if args.status {
        (db::pending(target)?, "pending")
    } else {
        (db::applied(target)?, "applied")
    };
    let mut out = io::stdout().lock();
    for name in &names {
        writeln!(out, "{done} {name}")?;
    }
    if names.is_empty() {
        writeln!(out, "nothing pending")?;
    }
    Ok(())
}
