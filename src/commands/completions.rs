use std::io;

use clap::CommandFactory as _;

use super::Failure;
use crate::config::{Cli, Completions};

pub fn run(args: &Completions) -> Result<(), Failure> {
    // Into memory first: the generator panics when its output is closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "roster", &mut script);
    Ok(io::Write::write_all(&mut io::stdout(), &script)?)
}
