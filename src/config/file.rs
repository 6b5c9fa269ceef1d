use std::{ffi::OsString, fs, path::PathBuf};

use clap::{
    Arg, Command, CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Cli, environment, subcommand};

/// The settings of a TOML file. Each becomes a flag unless the flag or its environment variable is set, so that the same code
/// reads, checks and explains all three.
pub struct SettingsFile {
    path: PathBuf,
    settings: Vec<(String, String)>,
}

impl SettingsFile {
    pub fn read(command: &mut Command, path: PathBuf) -> Result<Self, clap::Error> {
        let mut fail =
            |text: String| command.error(ErrorKind::Io, format!("{}: {text}", path.display()));
        let text = fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| fail(error.to_string()))?;
        let mut settings = Vec::new();
        for (key, value) in table {
            if !is_setting(&Cli::command(), &key) {
                return Err(fail(format!("unknown setting \"{key}\"")));
            }
            match value {
                toml::Value::String(text) => settings.push((key, text)),
                toml::Value::Integer(number) => settings.push((key, number.to_string())),
                toml::Value::Boolean(choice) => settings.push((key, choice.to_string())),
                toml::Value::Array(items) if repeats(&Cli::command(), &key) => {
                    for item in items {
                        let toml::Value::String(text) = item else {
                            return Err(fail(format!("\"{key}\" takes texts")));
                        };
                        settings.push((key.clone(), text));
                    }
                }
                _ => return Err(fail(format!("\"{key}\" takes a text or a number"))),
            }
        }
        Ok(Self { path, settings })
    }

    /// Inserts the settings of the command that `args` names, behind its name.
    pub fn insert(&self, command: &Command, args: &mut Vec<OsString>) {
        let Some((place, subcommand)) = subcommand(command, args) else {
            return;
        };
        let applies = |key: &str| {
            let flag = format!("--{key}");
            let given = args
                .iter()
                .filter_map(|arg| arg.to_str())
                .any(|arg| arg.split('=').next() == Some(&flag));
            let mut settings = [command, subcommand].into_iter();
            let setting = settings.find_map(|command| find_setting(command, key));
            let is_set = |setting: &Arg| {
                setting
                    .get_env()
                    .is_some_and(|name| environment::value(name).is_some())
            };
            !given && setting.is_some_and(|setting| !is_set(setting))
        };
        let settings = self.settings.iter().filter(|(key, _)| applies(key));
        let flags: Vec<OsString> = settings
            .map(|(key, value)| format!("--{key}={value}").into())
            .collect();
        args.splice(place + 1..=place, flags);
    }

    /// Adds the file's path to the error for a value that came from it.
    pub fn place(&self, command: &mut Command, error: clap::Error) -> clap::Error {
        let refused = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(flag)) => flag.clone(),
            _ => return error,
        };
        let key = refused
            .trim_start_matches('-')
            .split(' ')
            .next()
            .unwrap_or_default();
        let value = error
            .get(ContextKind::InvalidValue)
            .map(ToString::to_string)
            .unwrap_or_default();
        if !self
            .settings
            .iter()
            .any(|(known, text)| known == key && *text == value)
        {
            return error;
        }
        let reason = std::error::Error::source(&error)
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        command.error(
            error.kind(),
            format!(
                "{}: invalid value '{value}' for \"{key}\"{reason}",
                self.path.display()
            ),
        )
    }
}

/// A setting is a flag that has an environment variable. The other flags are for one run only.
fn find_setting<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(key) && arg.get_env().is_some() && key != "config")
}

fn is_setting(command: &Command, key: &str) -> bool {
    find_setting(command, key).is_some()
        || command.get_subcommands().any(|sub| is_setting(sub, key))
}

/// Whether the setting may have several values.
fn repeats(command: &Command, key: &str) -> bool {
    let setting = find_setting(command, key);
    setting.is_some_and(|arg| arg.get_value_delimiter().is_some())
        || command.get_subcommands().any(|sub| repeats(sub, key))
}
