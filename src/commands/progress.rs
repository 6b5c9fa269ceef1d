use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// Rows between two looks at the clock.
const STEP: u64 = 1_000;
const SECOND: Duration = Duration::from_secs(1);

/// Tells how far long work has come: a bar on a terminal, a plain line a second elsewhere, and nothing at all when
/// it is done within a second. Both go to standard error.
pub struct Progress {
    what: String,
    rows: u64,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub fn begin(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            rows: 0,
            told: Instant::now(),
            bar: None,
        }
    }

    /// Counts a row.
    pub fn step(&mut self) {
        self.rows += 1;
        if !self.rows.is_multiple_of(STEP) {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.rows);
        } else if self.told.elapsed() > SECOND {
            self.told = Instant::now();
            if io::stderr().is_terminal() {
                self.bar = Some(bar(&self.what));
            } else {
                let _ = writeln!(io::stderr(), "{}: {} rows", self.what, self.rows);
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {msg}: {human_pos} rows, {per_sec}, {elapsed}");
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
