use std::io::{self, Write as _};

use serde_json::json;

use super::{Failure, demo, temporary};
use crate::{
    auth::{self, Auth, Secret},
    config::{LogFormat, Serve, Settings, environment},
    db::{self, Db, Patience, Readiness, Stamp, Target},
    limits::Rates,
    metrics::{self, Metrics},
    models::User,
    server::{self, Signals},
    urls::{Hosts, Proxies},
};

pub fn run(target: &Target, args: &Serve) -> Result<(), Failure> {
    for line in environment::unknown() {
        tracing::warn!("{line}");
    }
    let system = actix_web::rt::System::new();
    // Before there is anything that a signal would leave behind.
    let signals = system.block_on(async { Signals::catch(args.demo) })?;
    // Kept until the end, for it removes the folder with the database.
    let demo = args.demo.then(|| temporary("demo")).transpose()?;
    let target = demo.as_ref().map_or(target, |(_, target)| target);
    let args = &args.settings;
    let given = given_secret(target, args)?;
    let patience = Patience {
        queue: args.queue_time,
        query: args.query_timeout.0,
    };
    let db = Db::open_patient(target, Readiness::CreateWhenNew, patience)?;
    let secret = match given {
        Some(secret) => secret,
        None => kept_secret(target)?,
    };
    let auth = Auth::new(auth::Settings {
        secret,
        access_token_lifetime: args.access_token_lifetime,
        refresh_token_lifetime: args.refresh_token_lifetime,
        refresh_grace: args.refresh_grace,
    });
    let greeting = match demo {
        Some(_) => Greeting::Demo {
            password: demo::fill(&db)?,
        },
        None if db.read_blocking(|conn| Ok::<_, db::Error>(User::any(conn)?))? => Greeting::None,
        None => Greeting::FirstUser,
    };
    let ended = system.block_on(serve(&db, auth, target, args, &greeting, signals));
    db.close();
    ended
}

/// The key that was set, if it was. A server's database may be many servers': they must be told one key.
pub(super) fn given_secret(target: &Target, args: &Settings) -> Result<Option<Secret>, Failure> {
    match (&args.secret_key, target) {
        (Some(key), _) => Secret::new(key.0.clone()).map(Some).map_err(Failure::new),
        (None, Target::Sqlite(_)) => Ok(None),
        #[cfg(feature = "postgres")]
        (None, Target::Postgres(_)) => Err(Failure::new(
            "on PostgreSQL the secret key must be set: --secret-key, or better ROSTER_SECRET_KEY",
        )),
    }
}

fn kept_secret(target: &Target) -> Result<Secret, Failure> {
    match target {
        Target::Sqlite(path) => Secret::beside(path).map_err(Failure::new),
        #[cfg(feature = "postgres")]
        Target::Postgres(_) => Err(Failure::new("the secret key must be set")),
    }
}

async fn serve(
    db: &Db,
    auth: Auth,
    target: &Target,
    args: &Settings,
    greeting: &Greeting,
    signals: Signals,
) -> Result<(), Failure> {
    let settings = settings(args);
    let metrics = Metrics::new(db).map_err(Failure::new)?;
    // Each connection is an open file. Where there may be no more of them, there may be fewer connections.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let (server, addresses) = server::listen(db, auth, metrics.clone(), &settings)
        .map_err(|error| cannot_listen(&settings.bind, &error))?;
    let watcher = match &args.metrics_bind {
        Some(bind) => {
            let watcher = metrics::listen(db, &metrics, bind);
            Some(watcher.map_err(|error| cannot_listen(bind, &error))?)
        }
        None => None,
    };
    let version = env!("CARGO_PKG_VERSION");
    for address in &addresses {
        let api = format!("http://{address}/api");
        let text = format!("roster {version} serves {target} at {api}/");
        announce(args.log_format, &text, Some(&format!("{api}/")));
        announce(args.log_format, &greeting.text(&api), None);
    }
    for address in watcher.iter().flat_map(|(_, addresses)| addresses) {
        let url = format!("http://{address}/metrics");
        announce(
            args.log_format,
            &format!("Metrics are at {url}"),
            Some(&url),
        );
    }
    let watching = watcher.map(|(watcher, _)| {
        let handle = watcher.handle();
        actix_web::rt::spawn(watcher);
        handle
    });
    let ended = signals.run(server).await;
    if let Some(watching) = watching {
        watching.stop(false).await;
    }
    Ok(ended?)
}

fn settings(args: &Settings) -> server::Settings {
    server::Settings {
        bind: args.bind.clone(),
        workers: args.workers.map_or_else(cores, usize::from),
        rates: Rates {
            address: args.limits.rate_limit,
            anon: args.limits.throttle_anon,
            user: args.limits.throttle_user,
            login: args.limits.throttle_login,
            account: args.limits.throttle_account,
            query_budget: args.limits.query_budget.0,
        },
        proxies: Proxies(args.trusted_proxies.clone()),
        allowed_hosts: Hosts(args.allowed_hosts.clone()),
        cors_origins: args.cors_origins.clone(),
        slow_request: args.slow_request,
        server_timing: args.server_timing,
        body_limit: args.body_limit,
        keep_alive: args.keep_alive,
        shutdown_timeout: args.shutdown_timeout,
        ..server::Settings::default()
    }
}

fn cannot_listen(bind: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot listen on {bind}: {error}"))
}

/// Prints a line for the person who started the server, before the log and in the log's format: programs read the first lines too.
fn announce(format: LogFormat, text: &str, url: Option<&str>) {
    if text.is_empty() {
        return;
    }
    let line = match format {
        LogFormat::Text => format!("{text}\n"),
        LogFormat::Json => {
            let mut line = json!({
                "timestamp": Stamp::now(),
                "level": "INFO",
                "message": text,
                "target": "roster::serve",
            });
            if let Some(url) = url {
                line["url"] = url.into();
            }
            format!("{line}\n")
        }
    };
    // Whether anybody reads it is no matter for the server.
    let _ = io::stdout().write_all(line.as_bytes());
}

/// What is said behind the address.
enum Greeting {
    None,
    /// How to begin, for nobody can sign in yet.
    FirstUser,
    Demo {
        password: String,
    },
}

impl Greeting {
    fn text(&self, api: &str) -> String {
        match self {
            Self::None => String::new(),
            Self::FirstUser => {
                "There are no users yet. Make the first, on the same database, with: \
                                roster createuser NAME --staff"
                    .to_owned()
            }
            Self::Demo { password } => format!(
                "Its documentation, for a browser: {api}/docs/\n\
                 It is the sample directory, and it is gone when this ends (Ctrl-C). Try:\n  \
                   curl '{api}/developers/?page_size=2'\n  \
                   curl '{api}/developers/?senior=true&skill=Rust&skill=Linux&page_size=1'\n  \
                   curl '{api}/companies/1/'\n\
                 Its staff user is {}, with a password that is shown this once: {password}",
                demo::ADMIN
            ),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
