//! The log: one line an event, to where it does not hold anybody up.

use std::io;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged when `ROSTER_LOG` does not say.
const DEFAULT: &str = "info,actix_server=warn,actix_http=off";

fn filter() -> EnvFilter {
    EnvFilter::try_from_env("ROSTER_LOG").unwrap_or_else(|_| DEFAULT.into())
}

/// Logs to standard error, for a command that somebody waits for.
pub fn for_command() {
    tracing_subscriber::fmt()
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_env_filter(filter())
        .with_writer(io::stderr)
        .init();
}

/// Logs to standard output, for a server. A thread of its own writes the lines; when whoever reads them is too slow, lines are
/// lost rather than requests kept waiting. What is still to be written is when the guard is dropped.
pub fn for_server(format: LogFormat) -> WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(io::stdout());
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(filter())
        .with_writer(writer);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init(),
    }
    guard
}
