//! Asking for a password.

use std::io;

use super::Failure;
use crate::{
    auth::{PasswordHash, password},
    config,
};

/// Reads a new password, checks the rules and returns its hash. It is asked for twice on the terminal, or read as one line from standard
/// input.
///
/// # Errors
/// When there is none, when the two differ, and a line for each rule that it breaks.
pub fn ask(args: &config::Password, username: &str, email: &str) -> Result<PasswordHash, Failure> {
    let password = if args.stdin { line()? } else { twice()? };
    password::check(&password, username, email).map_err(Failure)?;
    PasswordHash::of(&password).map_err(Failure::new)
}

fn line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn twice() -> Result<String, Failure> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt).map_err(|error| {
            Failure::new(format!(
                "there is no terminal to ask for the password ({error}): try --password-stdin"
            ))
        })
    };
    let password = ask("Password: ")?;
    if ask("Password (again): ")? == password {
        Ok(password)
    } else {
        Err(Failure::new("the two passwords differ"))
    }
}
