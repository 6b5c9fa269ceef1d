//! The environment's variables, where clap does not do what an operator expects.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

const PREFIX: &str = "ROSTER_";
/// What other variables with the prefix there are: for the log, and those that Kubernetes sets for a service called roster.
const LOG: &str = "ROSTER_LOG";
const KUBERNETES: [&str; 2] = ["ROSTER_SERVICE_", "ROSTER_PORT_"];

/// The value of a variable. An empty one counts as unset: compose files and units leave them so.
pub fn value(name: impl AsRef<OsStr>) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The command without the variables that are empty.
pub fn without_empty(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let unset = |arg: Arg| {
        if arg.get_env().is_some_and(is_empty) {
            arg.env(None::<&str>)
        } else {
            arg
        }
    };
    command
        .mut_args(unset)
        .mut_subcommands(|command| command.mut_args(unset))
}

/// A line for each variable that looks like a setting and is none.
pub fn unknown() -> Vec<String> {
    let known = known(&Cli::command());
    let mut lines: Vec<String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, value)| {
            name.starts_with(PREFIX)
                && !value.is_empty()
                && !known.contains(name)
                && !KUBERNETES.iter().any(|prefix| name.starts_with(prefix))
                && !value.to_string_lossy().starts_with("tcp://")
        })
        .map(|(name, _)| match nearest(&name, &known) {
            Some(near) => format!("{name} is no setting: did you mean {near}?"),
            None => format!("{name} is no setting"),
        })
        .collect();
    lines.sort_unstable();
    lines
}

fn known(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(Arg::get_env);
    let mut names: Vec<String> = own
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.extend(command.get_subcommands().flat_map(known));
    names.push(LOG.to_owned());
    names
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    /// What is longer is no slip of the fingers, and costly to compare.
    const LONGEST: usize = 64;
    let rest = name
        .strip_prefix(PREFIX)
        .filter(|rest| rest.len() <= LONGEST)?;
    known
        .iter()
        .filter_map(|known| {
            let other = known.strip_prefix(PREFIX)?;
            let distance = strsim::osa_distance(&rest.to_uppercase(), other);
            (distance * 3 <= other.len()).then_some((distance, known))
        })
        .min()
        .map(|(_, known)| known)
}
