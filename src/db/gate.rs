use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use prometheus::Histogram;

use super::Error;

/// The queue before a door, with load shedding: when more requests wait than can be served within the patience, a new one gets
/// 503 at once. Without it the queue would grow without end, and no request in it would be served in time.
pub struct Gate {
    patience: Duration,
    begun: Instant,
    waiting: AtomicU64,
    /// Nanoseconds from the beginning to when a wait was last served; 0 when nobody was left in the queue then.
    last: AtomicU64,
    /// Nanoseconds from one wait that is served to the next, on average while there is a queue.
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

    /// Waits behind the others until what is returned is [served](Waiting::served), or dropped because the wait was given up.
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
            served: false,
        })
    }

    /// Ends a wait: one that was served tells how fast the queue moves, and one that was given up tells nothing.
    fn leave(&self, served: Option<Duration>) {
        let others = self.waiting.fetch_sub(1, Ordering::Relaxed) > 1;
        let Some(waited) = served else {
            if !others {
                self.last.store(0, Ordering::Relaxed);
            }
            return;
        };
        self.waits.observe(waited.as_secs_f64());
        let now = nanos(self.begun.elapsed());
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

/// A wait before a door.
pub struct Waiting {
    gate: Arc<Gate>,
    since: Instant,
    served: bool,
}

impl Waiting {
    /// Ends the wait because its turn has come.
    pub fn served(mut self) {
        self.served = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gate.leave(self.served.then(|| self.since.elapsed()));
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
    fn a_request_is_refused_when_more_wait_than_can_be_served_in_time() {
        let gate = gate(Duration::from_millis(10));
        let mut queue: Vec<_> = (0..150).map(|_| gate.enter().unwrap()).collect();
        // One every millisecond, or a bit more.
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(1));
            queue.remove(0).served();
        }
        assert!(gate.enter().is_err(), "behind fifty");
        // In no time at all.
        queue.drain(1..).for_each(Waiting::served);
        assert!(gate.enter().is_ok(), "behind one");
        queue.clear();
        assert!(gate.enter().is_ok(), "behind nobody");
    }

    #[test]
    fn one_long_piece_of_work_does_not_close_it() {
        let gate = gate(Duration::from_millis(10));
        let mut queue: Vec<_> = (0..20).map(|_| gate.enter().unwrap()).collect();
        queue.remove(0).served();
        std::thread::sleep(Duration::from_millis(100));
        queue.remove(0).served();
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn waits_that_are_given_up_do_not_make_it_look_fast() {
        let gate = gate(Duration::from_millis(10));
        let mut queue: Vec<_> = (0..200).map(|_| gate.enter().unwrap()).collect();
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(1));
            queue.remove(0).served();
        }
        let learnt = gate.interval.load(Ordering::Relaxed);
        queue.truncate(50);
        assert_eq!(gate.interval.load(Ordering::Relaxed), learnt);
        assert!(gate.enter().is_err(), "behind fifty");
        queue.clear();
        assert!(gate.enter().is_ok(), "behind nobody");
        // Nor does the first that is served after a pause make it look slow.
        let late = (gate.enter().unwrap(), gate.enter().unwrap());
        std::thread::sleep(Duration::from_millis(20));
        late.0.served();
        assert_eq!(gate.interval.load(Ordering::Relaxed), learnt);
    }
}
