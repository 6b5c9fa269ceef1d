use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use prometheus::Histogram;

use super::Error;

/// The queue before a door. When more wait in it than can be served in the time that they have patience for, whoever comes
/// then is told at once to come back, instead of making a queue without end in which nobody is served in time.
pub struct Gate {
    patience: Duration,
    begun: Instant,
    waiting: AtomicU64,
    /// Nanoseconds from the beginning to when the last one came through; 0 when nobody was left then.
    last: AtomicU64,
    /// Nanoseconds from one who comes through to the next, on average while there is a queue.
    interval: AtomicU64,
    waits: Histogram,
}

/// One interval has this share in the average.
const SHARE: u64 = 64;
/// One interval counts as so many average ones at most, so that a single long piece of work does not make the queue behind it
/// look endless.
const OUTLIER: u64 = 8;
/// Nanoseconds of an interval that is no outlier in any case.
const SHORT: u64 = 1_000_000;

impl Gate {
    pub fn new(patience: Duration, waits: Histogram) -> Arc<Self> {
        Arc::new(Self {
            patience,
            begun: Instant::now(),
            waiting: AtomicU64::new(0),
            last: AtomicU64::new(0),
            interval: AtomicU64::new(0),
            waits,
        })
    }

    /// Notes that somebody came through without having to wait.
    pub fn pass(&self) {
        self.waits.observe(0.0);
    }

    /// Waits behind the others until what is returned is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it would take too long.
    pub fn enter(self: &Arc<Self>) -> Result<Waiting, Error> {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let interval = self.interval.load(Ordering::Relaxed);
        if Duration::from_nanos(waiting.saturating_mul(interval)) > self.patience {
            return Err(Error::Unavailable(
                "more requests wait for it than it can serve in time".to_owned(),
            ));
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(Waiting {
            gate: self.clone(),
            since: Instant::now(),
        })
    }

    fn come_through(&self, waited: Duration) {
        self.waits.observe(waited.as_secs_f64());
        let now = nanos(self.begun.elapsed());
        let others = self.waiting.fetch_sub(1, Ordering::Relaxed) > 1;
        let last = self
            .last
            .swap(if others { now } else { 0 }, Ordering::Relaxed);
        if last > 0 {
            self.learn(now.saturating_sub(last));
        }
    }

    /// Takes one more interval into the average. When two do so at once one of them may be lost, which is no harm.
    fn learn(&self, interval: u64) {
        let average = self.interval.load(Ordering::Relaxed);
        let interval = interval.min(average.saturating_mul(OUTLIER).max(SHORT));
        let average = (average * (SHARE - 1) + interval) / SHARE;
        self.interval.store(average, Ordering::Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// One who waits.
pub struct Waiting {
    gate: Arc<Gate>,
    since: Instant,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gate.come_through(self.since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::HistogramOpts;

    fn gate(patience: Duration) -> Arc<Gate> {
        let waits = HistogramOpts::new("waits", "Waits.");
        Gate::new(patience, Histogram::with_opts(waits).unwrap())
    }

    #[test]
    fn whoever_comes_when_more_wait_than_can_be_served_in_time_is_sent_away() {
        let gate = gate(Duration::from_millis(10));
        let mut queue: Vec<_> = (0..150).map(|_| gate.enter().unwrap()).collect();
        // One every millisecond, or a bit more.
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(1));
            queue.remove(0);
        }
        assert!(gate.enter().is_err(), "behind fifty");
        // In no time at all.
        queue.truncate(1);
        assert!(gate.enter().is_ok(), "behind one");
        queue.clear();
        assert!(gate.enter().is_ok(), "behind nobody");
    }

    #[test]
    fn one_long_piece_of_work_does_not_close_it() {
        let gate = gate(Duration::from_millis(10));
        let mut queue: Vec<_> = (0..20).map(|_| gate.enter().unwrap()).collect();
        queue.remove(0);
        std::thread::sleep(Duration::from_millis(100));
        queue.remove(0);
        assert!(gate.enter().is_ok());
    }
}
