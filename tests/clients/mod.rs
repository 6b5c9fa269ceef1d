//! What strangers' tools make of the API, of which they know nothing but its description.
//!
//! `tests/clients/install` puts the tools beside their scripts, so that these tests run when they are asked for:
//! `cargo test -- --ignored`.

mod browser;
mod generated;
mod generator;
mod openapi;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::support::{App, Options, Place};

/// The sample directory, with tokens that outlast a test.
fn directory() -> App {
    let app = App::with(Options {
        access: Duration::from_hours(24),
        ..Options::default()
    });
    roster::commands::demo::sample(&app.db).unwrap();
    app
}

/// The path of the description as a file in that place.
fn description(place: &Place) -> String {
    place.file("openapi.json", App::new().get("/api/schema/").body)
}

/// A script of the folder's `package.json`.
fn npm(script: &str) -> Command {
    let mut command = Command::new("npm");
    command
        .current_dir(folder("typescript"))
        .args(["run", "--silent", script]);
    command
}

/// A command of Python's, in the environment that has the tools.
fn python(name: &str) -> Command {
    let tools = folder("python").join(".venv/bin");
    let mut command = Command::new(tools.join(name));
    let path = std::env::var("PATH").unwrap();
    command
        .current_dir(folder("python"))
        .env("PATH", format!("{}:{path}", tools.display()));
    command
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// What a command that succeeds has printed.
fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; was tests/clients/install run?"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    assert!(
        status.success(),
        "{command:?}: {status}\n{printed}{complaint}"
    );
    printed
}
