//! The commands of the binary, one file for each.

mod backup;
mod changepassword;
mod check;
mod completions;
mod createuser;
pub mod demo;
mod export;
pub mod import;
mod migrate;
mod openapi;
mod password;
mod progress;
mod serve;

use std::{
    fmt,
    io::{self, Write as _},
};

use tempfile::TempDir;

use crate::{
    config::{Cli, Cmd},
    db::{self, Db, Readiness, Target},
};

/// Why a command failed, as the lines that its user reads.
#[derive(Debug)]
pub struct Failure(Vec<String>);

impl Failure {
    pub fn new(line: impl fmt::Display) -> Self {
        Self(vec![line.to_string()])
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("\n"))
    }
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        Self::new(error)
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        db::Error::from(error).into()
    }
}

impl From<io::Error> for Failure {
    /// A reader that has closed the pipe, as `head` does, needs no message.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self(Vec::new()),
            _ => Self::new(error),
        }
    }
}

/// Opens the database, and says so when it had to make one: the path may be mistyped.
fn open_or_make(target: &Target) -> Result<Db, Failure> {
    let is_new = db::is_new(target)?;
    let db = Db::open(target, Readiness::CreateWhenNew)?;
    if is_new {
        let _ = writeln!(io::stderr(), "made a new database in {target}");
    }
    Ok(db)
}

/// A database in a folder that lasts as long as its guard.
fn temporary(purpose: &str) -> Result<(TempDir, Target), Failure> {
    let folder = TempDir::with_prefix(format!("roster-{purpose}-{}-", std::process::id()))?;
    let target = Target::Sqlite(folder.path().join("roster.db"));
    Ok((folder, target))
}

/// Runs the command of the command line.
///
/// # Errors
/// The lines for standard error.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let target = cli
        .common
        .database_url
        .0
        .parse()
        .map_err(|error| Failure::new(format!("the database URL: {error}")))?;
    let done = match cli.command {
        Cmd::Serve(args) => serve::run(&target, &args),
        Cmd::Migrate(args) => migrate::run(&target, &args),
        Cmd::Createuser(args) => createuser::run(&target, &args),
        Cmd::Changepassword(args) => changepassword::run(&target, &args),
        Cmd::Import(args) => import::run(&target, &args),
        Cmd::Export(args) => export::run(&target, &args),
        Cmd::Backup(args) => backup::run(&target, &args),
        Cmd::Check(args) => check::run(&target, &args),
        Cmd::Openapi(args) => openapi::run(&args),
        Cmd::Completions(args) => completions::run(&args),
    };
    match done {
        Err(Failure(lines)) if lines.is_empty() => Ok(()),
        done => done,
    }
}
