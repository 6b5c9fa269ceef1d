//! The command line and its settings: one struct is flags, environment, file and help.

pub mod environment;
mod file;
mod values;

use std::{ffi::OsString, fmt, path::PathBuf, time::Duration};

use clap::{
    ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use ipnet::IpNet;

use file::SettingsFile;
use values::{Limited, duration, host, lifetime, limit, network, origin, rate, size};

use crate::{limits::Rate, middleware::Origin};

/// A self-hosted directory of companies, developers, skills and projects, served over REST.
#[derive(Debug, Parser)]
#[command(
    version = crate::VERSION,
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
    Serve(Box<Serve>),
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
    /// Copy an embedded database, also while a server writes to it
    Backup(Backup),
    /// Look for what is wrong with the settings and the database
    Check(Box<Check>),
    /// Print the description of the API
    Openapi(Openapi),
    /// Print a completion script for a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Serve the sample directory from a temporary database
    #[arg(long)]
    pub demo: bool,
    #[command(flatten)]
    pub settings: Settings,
}

/// What a server is told.
#[derive(Debug, Args)]
pub struct Settings {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "ROSTER_BIND",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8000"
    )]
    pub bind: String,
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
    /// How long a used refresh token is answered with its successor again, for a race of two tabs
    #[arg(long, env = "ROSTER_REFRESH_GRACE", value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub refresh_grace: Duration,
    #[command(flatten)]
    pub limits: Limits,
    /// A proxy whose X-Forwarded-For is believed, as an address or a network (repeatable)
    #[arg(long = "trusted-proxy", env = "ROSTER_TRUSTED_PROXY", value_name = "ADDRESS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// A host that the server may be asked for, .example.com with its subdomains, or * for all (repeatable) [default: all]
    #[arg(long = "allowed-host", env = "ROSTER_ALLOWED_HOST", value_name = "HOST", value_delimiter = ',', value_parser = host)]
    pub allowed_hosts: Vec<String>,
    /// An origin whose pages may call the server, or * for all (repeatable)
    #[arg(long = "cors-origin", env = "ROSTER_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<Origin>,
    /// How the log is written
    #[arg(
        long,
        env = "ROSTER_LOG_FORMAT",
        value_enum,
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Requests that take longer are logged as warnings
    #[arg(long, env = "ROSTER_SLOW_REQUEST", value_name = "TIME", default_value = "1s", value_parser = lifetime)]
    pub slow_request: Duration,
    /// Tell with each answer where its time went, as Server-Timing
    #[arg(long, env = "ROSTER_SERVER_TIMING", value_name = "CHOICE", default_value_t = false, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    pub server_timing: bool,
    /// Serve metrics for Prometheus at this address [default: nowhere]
    #[arg(long, env = "ROSTER_METRICS_BIND", value_name = "HOST:PORT")]
    pub metrics_bind: Option<String>,
    /// When more reads wait than the database can serve in this time, new ones are told to come back; writes wait ten times as long
    #[arg(long, env = "ROSTER_QUEUE_TIME", value_name = "TIME", default_value = "100ms", value_parser = lifetime)]
    pub queue_time: Duration,
    /// How long a read may take in the database, or off
    #[arg(long, env = "ROSTER_QUERY_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = limit)]
    pub query_timeout: Limited,
    /// How large the body of a request may be
    #[arg(long, env = "ROSTER_BODY_LIMIT", value_name = "SIZE", default_value = "1MiB", value_parser = size)]
    pub body_limit: usize,
    /// How long a connection is kept between two requests: longer than proxies keep theirs
    #[arg(long, env = "ROSTER_KEEP_ALIVE", value_name = "TIME", default_value = "75s", value_parser = lifetime)]
    pub keep_alive: Duration,
    /// How long requests in flight may take when the server is told to end
    #[arg(long, env = "ROSTER_SHUTDOWN_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub shutdown_timeout: Duration,
}

/// How many requests are let through: N/second, N/minute, N/hour, N/day or off.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Requests of each address
    #[arg(long, env = "ROSTER_RATE_LIMIT", value_name = "RATE", default_value = "100/minute", value_parser = rate)]
    pub rate_limit: Rate,
    /// Requests of each address that has not signed in
    #[arg(long, env = "ROSTER_THROTTLE_ANON", value_name = "RATE", default_value = "20/minute", value_parser = rate)]
    pub throttle_anon: Rate,
    /// Requests of each user
    #[arg(long, env = "ROSTER_THROTTLE_USER", value_name = "RATE", default_value = "200/minute", value_parser = rate)]
    pub throttle_user: Rate,
    /// Database time that a request may cost on average: 100/minute may use 10s of it, however few requests that are; or off
    #[arg(long, env = "ROSTER_QUERY_BUDGET", value_name = "TIME", default_value = "100ms", value_parser = limit)]
    pub query_budget: Limited,
    /// Attempts to sign in, of each address and user name
    #[arg(long, env = "ROSTER_THROTTLE_LOGIN", value_name = "RATE", default_value = "10/minute", value_parser = rate)]
    pub throttle_login: Rate,
    /// Attempts to sign in that fail, of each user name from all addresses
    #[arg(long, env = "ROSTER_THROTTLE_ACCOUNT", value_name = "RATE", default_value = "100/hour", value_parser = rate)]
    pub throttle_account: Rate,
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line with key=value pairs
    Text,
    /// A line with a JSON object
    Json,
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
pub struct Backup {
    /// The copy, which must not be there yet
    pub file: PathBuf,
    /// Open the copy and check it before it gets its name
    #[arg(long)]
    pub verify: bool,
}

#[derive(Debug, Args)]
pub struct Check {
    /// Look also for what is unsafe on the internet
    #[arg(long)]
    pub deploy: bool,
    #[command(flatten)]
    pub settings: Settings,
}

#[derive(Debug, Args)]
pub struct Openapi {
    /// How it is spelled
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "json")]
    pub format: Spelling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Spelling {
    Json,
    Yaml,
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
        let mut command = environment::without_empty(Self::command());
        let mut args = with_default_command(&command, args.into_iter().collect());
        let file = match config_path(&args) {
            Some(path) => Some(SettingsFile::read(&mut command, path)?),
            None => None,
        };
        if let Some(file) = &file {
            file.insert(&Self::command(), &mut args);
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
    flag.or_else(|| environment::value("ROSTER_CONFIG").map(PathBuf::from))
}
