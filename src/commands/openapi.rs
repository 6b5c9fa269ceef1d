use std::io::{self, Write as _};

use super::Failure;
use crate::{
    config::{Openapi, Spelling},
    openapi::document,
};

pub fn run(args: &Openapi) -> Result<(), Failure> {
    let document = document().map_err(Failure::new)?;
    let mut out = io::stdout().lock();
    match args.format {
        Spelling::Json => writeln!(out, "{:#}", document.value)?,
        Spelling::Yaml => write!(out, "{}", document.yaml)?,
    }
    Ok(())
}
