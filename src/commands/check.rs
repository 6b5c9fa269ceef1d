//! `roster check`: what is wrong, before somebody else finds it.

use std::{
    fs,
    io::{self, Write as _},
    net::{SocketAddr, ToSocketAddrs as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use super::{Failure, progress::watch, serve::given_secret};
use crate::{
    auth::Secret,
    config::{Check, Settings, environment},
    db::{Readiness, Target, prepare},
    limits::Rate,
    middleware::Origin,
};

/// An access token cannot be taken back: one that was stolen works this long at most.
const ACCESS_MAX: Duration = Duration::from_hours(1);

pub fn run(target: &Target, args: &Check) -> Result<(), Failure> {
    let mut parts = vec![
        ("settings", settings(target, &args.settings)),
        ("database", database(target)),
    ];
    if args.deploy {
        parts.push(("deploy", risks(target, &args.settings)));
    }
    let faults: Vec<String> = parts
        .iter()
        .flat_map(|(part, faults)| faults.iter().map(move |fault| format!("{part}: {fault}")))
        .collect();
    if !faults.is_empty() {
        return Err(Failure(faults));
    }
    let mut out = io::stdout().lock();
    for (part, _) in parts {
        writeln!(out, "{part}: nothing is wrong")?;
    }
    Ok(())
}

/// What a server would not start with; what it cannot even read, nobody gets this far with.
fn settings(target: &Target, settings: &Settings) -> Vec<String> {
    let secret = match (given_secret(target, settings), target) {
        (Ok(None), Target::Sqlite(path)) if Secret::is_beside(path) => Secret::beside(path).err(),
        (Ok(_), _) => None,
        (Err(failure), _) => Some(failure.to_string()),
    };
    let addresses = [Some(&settings.bind), settings.metrics_bind.as_ref()];
    let unknown = addresses.into_iter().flatten().filter_map(|bind| {
        let error = addresses_of(bind).err()?;
        Some(format!("{bind} is no address to listen on: {error}"))
    });
    let misspelt = environment::unknown().into_iter();
    secret.into_iter().chain(unknown).chain(misspelt).collect()
}

fn addresses_of(bind: &str) -> io::Result<Vec<SocketAddr>> {
    Ok(bind.to_socket_addrs()?.collect())
}

fn database(target: &Target) -> Vec<String> {
    let mut conn = match prepare(target, Readiness::MustExist) {
        Ok(conn) => conn,
        Err(error) => return vec![error.to_string()],
    };
    let faults = || {
        let mut faults = conn.faults()?;
        faults.extend(conn.ids_at_the_end()?);
        Ok::<_, diesel::result::Error>(faults)
    };
    watch(|| "checking the database".to_owned(), faults)
        .unwrap_or_else(|error| vec![error.to_string()])
}

/// What is unsafe on the internet.
fn risks(target: &Target, settings: &Settings) -> Vec<String> {
    let mut risks = unlimited(settings);
    risks.extend(network(settings));
    match target {
        Target::Sqlite(path) => risks.extend(readable(path)),
        #[cfg(feature = "postgres")]
        Target::Postgres(_) => {}
    }
    if settings.access_token_lifetime > ACCESS_MAX {
        risks.push(
            "--access-token-lifetime is over an hour: a stolen token works as long".to_owned(),
        );
    }
    if settings.cors_origins.contains(&Origin::Any) {
        risks.push("--cors-origin is *: the pages of any site may call the server".to_owned());
    }
    if settings.server_timing {
        risks.push("--server-timing tells everybody where the time goes".to_owned());
    }
    risks
}

fn unlimited(settings: &Settings) -> Vec<String> {
    let limits = &settings.limits;
    let limits = [
        ("--rate-limit", limits.rate_limit),
        ("--throttle-anon", limits.throttle_anon),
        ("--throttle-user", limits.throttle_user),
        ("--throttle-login", limits.throttle_login),
        ("--throttle-account", limits.throttle_account),
    ];
    let off = limits.into_iter().filter(|(_, rate)| *rate == Rate::Off);
    off.map(|(flag, _)| format!("{flag} is off: anybody may ask without end"))
        .collect()
}

/// Who reaches the server, and as whom.
fn network(settings: &Settings) -> Vec<String> {
    let is_open = |bind: &str| {
        let addresses = addresses_of(bind).unwrap_or_default();
        addresses.iter().any(|address| !address.ip().is_loopback())
    };
    let proxies = &settings.trusted_proxies;
    let mut risks = Vec::new();
    match (is_open(&settings.bind), proxies.is_empty()) {
        (true, true) => risks.push(format!(
            "--bind {} takes tokens and passwords unencrypted from the network: a proxy with TLS belongs before it, \
             named by --trusted-proxy",
            settings.bind
        )),
        (false, true) => risks.push(
            "no --trusted-proxy: behind a proxy all clients share one address and its limits".to_owned(),
        ),
        (_, false) => {}
    }
    if proxies.iter().any(|network| network.prefix_len() == 0) {
        risks.push(
            "--trusted-proxy names every address: any client may say that it has another"
                .to_owned(),
        );
    }
    if let Some(bind) = settings
        .metrics_bind
        .as_deref()
        .filter(|bind| is_open(bind))
    {
        risks.push(format!(
            "--metrics-bind {bind} shows the metrics to the network"
        ));
    }
    risks
}

/// The file holds the hashes of passwords; its log has the same mode.
fn readable(path: &Path) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "others on this machine may read {}: `chmod 600` it",
            path.display()
        )
    })
}
