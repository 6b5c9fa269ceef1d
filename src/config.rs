//! The command line and its settings: one struct is flags, environment, file and help.

use std::{ffi::OsString, fmt, fs, path::PathBuf, time::Duration};

use clap::{
    Arg, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// A self-hosted directory of companies, developers, skills and projects, served over REST.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Every setting is a flag (--database-url), an environment variable (ROSTER_DATABASE_URL) and a key\n\
                  (database-url) of the TOML file named by --config; the flag wins, then the environment, then the file.\n\
                  Without a command, roster serves."
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Cmd,
}

/// What every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Where the directory is: a path or sqlite://… (embedded), or postgres://…
    #[arg(
        long,
        global = true,
        env = "ROSTER_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        default_value = "roster.db"
    )]
    pub database_url: Hidden,
    /// A TOML file with settings
    #[arg(long, global = true, env = "ROSTER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A setting that is or may hold a secret. It takes any text: what is wrong with it is said without quoting it.
#[derive(Clone)]
pub struct Hidden(pub String);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hidden(…)")
    }
}

#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Serve the directory, creating the database first when it is new
    Serve(Serve),
    /// Apply the schema's pending migrations
    Migrate(Migrate),
    /// Make a user
    Createuser(Createuser),
    /// Give a user another password, which ends the user's sessions
    Changepassword(Changepassword),
    /// Take files into the directory, all of them or none
    Import(Import),
    /// Write the directory as files that `import` takes back
    Export(Export),
    /// Print a completion script for a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "ROSTER_BIND",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8000"
    )]
    pub bind: String,
    /// Serve the sample directory from a temporary database
    #[arg(long)]
    pub demo: bool,
    /// Threads that serve [default: the number of cores]
    #[arg(long, env = "ROSTER_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// The key that signs tokens, 32 bytes or more [default: one is made once and kept beside an embedded database]
    #[arg(
        long,
        env = "ROSTER_SECRET_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub secret_key: Option<Hidden>,
    /// How long an access token works
    #[arg(long, env = "ROSTER_ACCESS_TOKEN_LIFETIME", value_name = "TIME", default_value = "5m", value_parser = lifetime)]
    pub access_token_lifetime: Duration,
    /// How long a refresh token works
    #[arg(long, env = "ROSTER_REFRESH_TOKEN_LIFETIME", value_name = "TIME", default_value = "1d", value_parser = lifetime)]
    pub refresh_token_lifetime: Duration,
    /// How long a used refresh token still gets a pair, for a race of two tabs
    #[arg(long, env = "ROSTER_REFRESH_GRACE", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub refresh_grace: Duration,
    /// How large the body of a request may be
    #[arg(long, env = "ROSTER_BODY_LIMIT", value_name = "SIZE", default_value = "1MiB", value_parser = size)]
    pub body_limit: usize,
    /// How long requests in flight may take when the server is told to end
    #[arg(long, env = "ROSTER_SHUTDOWN_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub shutdown_timeout: Duration,
}

#[derive(Debug, Args)]
pub struct Migrate {
    /// List what is pending and change nothing
    #[arg(long)]
    pub status: bool,
}

#[derive(Debug, Args)]
pub struct Createuser {
    /// The user's name
    #[arg(value_name = "NAME")]
    pub username: String,
    /// The user's email address
    #[arg(long, default_value = "")]
    pub email: String,
    /// Make the user one of the staff, who may do everything
    #[arg(long)]
    pub staff: bool,
    #[command(flatten)]
    pub password: Password,
}

#[derive(Debug, Args)]
pub struct Changepassword {
    /// The user's name
    #[arg(value_name = "NAME")]
    pub username: String,
    #[command(flatten)]
    pub password: Password,
}

/// Where a command takes a password from. Never from its arguments, which everybody on the machine sees.
#[derive(Debug, Args)]
pub struct Password {
    /// Read the password as one line from standard input instead of asking for it twice
    #[arg(long = "password-stdin")]
    pub stdin: bool,
}

#[derive(Debug, Args)]
pub struct Import {
    /// companies, skills, users, developers or projects as .csv or .json, or folders with any of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Check everything and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// The folder to write to; it is made when it is not there
    pub folder: PathBuf,
    /// The form of the files
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub format: Format,
}

/// The forms of an export's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

impl Cli {
    /// Reads the settings from `args`, the environment and the file.
    ///
    /// # Errors
    /// Help, version and wrong usage, as clap shows them.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let mut args = with_default_command(&command, args.into_iter().collect());
        let file = match config_path(&args) {
            Some(path) => Some(SettingsFile::read(&mut command, path)?),
            None => None,
        };
        if let Some(file) = &file {
            file.insert(&command, &mut args);
        }
        let matches = command
            .clone()
            .try_get_matches_from(args)
            .map_err(|error| match &file {
                Some(file) => file.place(&mut command, error),
                None => error,
            })?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// `roster` alone, or followed by flags alone, is `roster serve`.
fn with_default_command(command: &Command, mut args: Vec<OsString>) -> Vec<OsString> {
    let is_flag = |arg: &OsString| arg.to_string_lossy().starts_with('-');
    let flags_first = args.get(1).is_none_or(is_flag);
    let asks = |arg: &OsString| {
        ["-h", "--help", "-V", "--version"]
            .iter()
            .any(|flag| arg == flag)
    };
    if flags_first && subcommand(command, &args).is_none() && !args.iter().any(asks) {
        args.insert(args.len().min(1), "serve".into());
    }
    args
}

/// The command that `args` names, and where.
fn subcommand<'a>(command: &'a Command, args: &[OsString]) -> Option<(usize, &'a Command)> {
    args.iter().enumerate().skip(1).find_map(|(place, arg)| {
        command
            .find_subcommand(arg.as_os_str())
            .map(|command| (place, command))
    })
}

fn config_path(args: &[OsString]) -> Option<PathBuf> {
    let flag = args
        .iter()
        .enumerate()
        .find_map(|(place, arg)| match arg.to_str() {
            Some("--config") => args.get(place + 1).map(PathBuf::from),
            Some(arg) => arg.strip_prefix("--config=").map(PathBuf::from),
            None => None,
        });
    flag.or_else(|| std::env::var_os("ROSTER_CONFIG").map(PathBuf::from))
}

/// The settings of a TOML file. They become flags where neither a flag nor the environment has a say, so that
/// all three are read, checked and explained by the same code.
struct SettingsFile {
    path: PathBuf,
    settings: Vec<(String, String)>,
}

impl SettingsFile {
    fn read(command: &mut Command, path: PathBuf) -> Result<Self, clap::Error> {
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
                _ => return Err(fail(format!("\"{key}\" takes a text or a number"))),
            }
        }
        Ok(Self { path, settings })
    }

    /// Inserts the settings of the command that `args` names, behind its name.
    fn insert(&self, command: &Command, args: &mut Vec<OsString>) {
        let Some((place, subcommand)) = subcommand(command, args) else {
            return;
        };
        for (key, value) in &self.settings {
            let flag = format!("--{key}");
            let given = args
                .iter()
                .filter_map(|arg| arg.to_str())
                .any(|arg| arg.split('=').next() == Some(&flag));
            let setting = [command, subcommand]
                .into_iter()
                .find_map(|command| find_setting(command, key));
            let applies = setting
                .and_then(Arg::get_env)
                .is_some_and(|name| std::env::var_os(name).is_none());
            if applies && !given {
                args.insert(place + 1, format!("{flag}={value}").into());
            }
        }
    }

    /// Says that a value which was refused came from this file.
    fn place(&self, command: &mut Command, error: clap::Error) -> clap::Error {
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

/// Only what has an environment variable too is a setting; the other flags say what to do this once.
fn find_setting<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(key) && arg.get_env().is_some() && key != "config")
}

fn is_setting(command: &Command, key: &str) -> bool {
    find_setting(command, key).is_some()
        || command.get_subcommands().any(|sub| is_setting(sub, key))
}

/// Reads a time such as `10s`, `5m`, `1d` or `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let unit = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("a time is a number and its unit, such as 10s, 5m or 1d".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a time begins with a whole number".to_owned())?;
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(|| "that is too long".to_owned())
}

/// A time that something lasts for, so not none.
fn lifetime(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.is_zero() {
        return Err("that is no time at all".to_owned());
    }
    Ok(time)
}

/// Reads a number of bytes such as `1MiB`, `512KiB` or `4096`.
fn size(text: &str) -> Result<usize, String> {
    let unit = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let bytes: usize = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("a size is a number of bytes, or one with KiB, MiB or GiB".to_owned()),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(bytes))
        .ok_or_else(|| "a size begins with a whole number".to_owned())
}
