//! What the binary does, one file a command.

mod backup;
mod changepassword;
mod check;
mod completions;
mod createuser;
mod export;
pub mod import;
mod migrate;
mod openapi;
mod password;
mod progress;
mod serve;

use std::{fmt, io};

use crate::{
    config::{Cli, Cmd},
    db,
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
    fn from(error: io::Error) -> Self {
        Self::new(error)
    }
}

/// Runs the command that was asked for.
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
    match cli.command {
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
    }
}
