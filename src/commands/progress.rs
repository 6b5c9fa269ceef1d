use std::{
    io::{self, IsTerminal as _, Write as _},
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// The clock is read once in so many rows.
const STEP: u64 = 1_000;
const SECOND: Duration = Duration::from_secs(1);
/// How often to poll a task that reports no progress.
const TICK: Duration = Duration::from_millis(100);

/// Reports the progress of long work on standard error: a bar on a terminal, a line each second elsewhere. Work that ends within
/// a second reports nothing.
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
                let bar = spinner("{spinner} {msg}: {human_pos} rows, {per_sec}, {elapsed}");
                self.bar = Some(bar.with_message(self.what.clone()));
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

/// Runs work that does not count rows. Meanwhile reports `state`, as [`Progress`] does.
pub fn watch<T: Send>(state: impl Fn() -> String, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let watcher = thread::current();
        let working = scope.spawn(move || {
            let done = work();
            watcher.unpark();
            done
        });
        let mut bar = None;
        let begun = Instant::now();
        let mut told = begun;
        while !working.is_finished() {
            thread::park_timeout(TICK);
            if told.elapsed() < SECOND && bar.is_none() {
                continue;
            }
            told = Instant::now();
            if io::stderr().is_terminal() {
                let bar: &mut ProgressBar =
                    bar.get_or_insert_with(|| spinner("{spinner} {msg}, {elapsed}"));
                bar.set_message(state());
                bar.tick();
            } else {
                let seconds = begun.elapsed().as_secs();
                let _ = writeln!(io::stderr(), "{}, {seconds} s", state());
            }
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        working
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn spinner(template: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
