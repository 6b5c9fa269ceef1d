use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};
use std::time::{Duration, Instant};

use prometheus::Histogram;

use super::Error;

/// The queue before a door. It is open as long as those who come through have waited no longer than they have patience;
/// when it takes longer, more is asked than can be done in that time, and whoever comes then is told at once to come back.
pub struct Gate {
    patience: Duration,
    waiting: AtomicUsize,
    late: AtomicBool,
    waits: Histogram,
}

impl Gate {
    pub fn new(patience: Duration, waits: Histogram) -> Arc<Self> {
        Arc::new(Self {
            patience,
            waiting: AtomicUsize::new(0),
            late: AtomicBool::new(false),
            waits,
        })
    }

    /// Waits behind the others until what is returned is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it would take too long.
    pub fn enter(self: &Arc<Self>) -> Result<Waiting, Error> {
        // Behind nobody there is nothing to wait for, however long the last one did.
        if self.late.load(Ordering::Relaxed) && self.waiting.load(Ordering::Relaxed) > 0 {
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
}

/// One who waits.
pub struct Waiting {
    gate: Arc<Gate>,
    since: Instant,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let (gate, waited) = (&self.gate, self.since.elapsed());
        gate.waiting.fetch_sub(1, Ordering::Relaxed);
        gate.late.store(waited > gate.patience, Ordering::Relaxed);
        gate.waits.observe(waited.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::HistogramOpts;

    #[test]
    fn whoever_comes_when_others_wait_too_long_is_sent_away() {
        let waits = Histogram::with_opts(HistogramOpts::new("waits", "Waits.")).unwrap();
        let gate = Gate::new(Duration::from_millis(5), waits);
        let (first, second) = (gate.enter().unwrap(), gate.enter().unwrap());
        std::thread::sleep(Duration::from_millis(6));
        assert!(gate.enter().is_ok(), "nobody has come through yet");
        drop(first);
        assert!(gate.enter().is_err(), "behind one who has waited as long");
        drop(second);
        assert!(gate.enter().is_ok(), "behind nobody");
        drop(gate.enter());
        let third = gate.enter().unwrap();
        assert!(gate.enter().is_ok(), "the last one was in time");
        drop(third);
    }
}
