//! The log: one line for each event, written without blocking a request.

use std::{
    io::{self, BufWriter, Write},
    thread,
    time::Duration,
};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, environment};

/// The filter when `ROSTER_LOG` is not set.
const DEFAULT: &str = "info,actix_server=warn,actix_http=off";

fn filter() -> EnvFilter {
    let given = environment::value("ROSTER_LOG").and_then(|value| value.into_string().ok());
    let given = given.and_then(|text| EnvFilter::try_new(text).ok());
    given.unwrap_or_else(|| DEFAULT.into())
}

/// Logs to standard error, for commands other than `serve`.
pub fn for_command() {
    tracing_subscriber::fmt()
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_env_filter(filter())
        .with_writer(io::stderr)
        .init();
}

/// How long the log's thread waits after writing, so that lines gather in the meantime.
const REST: Duration = Duration::from_millis(10);

/// Sleeps after each write, so that a busy server wakes the log's thread a hundred times a second instead of for every line. Waking it costs a
/// request more than formatting the line does.
struct Gathered<W: Write>(BufWriter<W>);

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        thread::sleep(REST);
        Ok(())
    }
}

/// Logs to standard output, for a server. A separate thread writes the lines. When the reader of standard output is too slow, lines are
/// lost and no request waits. Dropping the guard writes the remaining lines.
pub fn for_server(format: LogFormat) -> WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(Gathered(BufWriter::new(io::stdout())));
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
