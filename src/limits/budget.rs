//! What questions cost: a slow one is worth many fast ones.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use super::{Count, Key, Limit};
use crate::db::{self, Tally};

/// Keys whose time is noted at once, at most. Further clients are still bound by the number of their requests.
const KEYS: usize = 1 << 16;
/// A read that takes less is not noted.
const SHORT: Duration = Duration::from_millis(1);

/// The database time of each key, beside the count of its requests. A request may cost as much as it likes; when all requests of
/// a window together have cost what so many average ones may, the window is used up.
pub struct Budget {
    /// What a request may cost on average.
    each: Option<Duration>,
    spent: Arc<Mutex<HashMap<Key, Spent>>>,
    /// The right of each address to connections for reading, as long as it has any.
    shares: Mutex<HashMap<Key, Weak<Semaphore>>>,
}

#[derive(Debug, Clone, Copy)]
struct Spent {
    /// When the window ends.
    end: Instant,
    time: Duration,
}

impl Budget {
    pub fn new(each: Option<Duration>) -> Self {
        Self {
            each,
            spent: Arc::default(),
            shares: Mutex::default(),
        }
    }

    /// Has what this request reads charged to `key`, and says what is left of the window when its time is used up.
    pub fn charge(
        &self,
        limit: Limit,
        key: Key,
        (requests, window): (u32, Duration),
    ) -> Option<Count> {
        let each = self.each?;
        if let Some(reset) = self.used_up(key, each.saturating_mul(requests)) {
            return Some(Count {
                over: true,
                remaining: 0,
                reset,
            });
        }
        let tally = Tally::asking()?;
        let spent = self.spent.clone();
        tally.at_end(move |time| note(&spent, key, time, window));
        if limit == Limit::Address {
            tally.share(self.share(key));
        }
        None
    }

    /// How long the window still goes on, when all of the time is used up.
    fn used_up(&self, key: Key, budget: Duration) -> Option<Duration> {
        let spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = spent.get(&key).filter(|spent| spent.time >= budget)?;
        let reset = spent.end.saturating_duration_since(Instant::now());
        Some(reset).filter(|reset| !reset.is_zero())
    }

    /// Half of the connections for reading: one address never holds all of them.
    fn share(&self, key: Key) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&key).and_then(Weak::upgrade) {
            return share;
        }
        // Only those of requests in flight are kept.
        if shares.len() == shares.capacity() {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let half = (db::readers() / 2).max(1);
        let share = Arc::new(Semaphore::new(half as usize));
        shares.insert(key, Arc::downgrade(&share));
        share
    }
}

/// Adds to what the key has spent in its window, which begins with the first read that is noted.
fn note(spent: &Mutex<HashMap<Key, Spent>>, key: Key, time: Duration, window: Duration) {
    if time < SHORT {
        return;
    }
    let now = Instant::now();
    let mut spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
    if !spent.contains_key(&key) && spent.len() >= KEYS {
        spent.retain(|_, spent| spent.end > now);
        if spent.len() >= KEYS {
            return;
        }
    }
    let fresh = Spent {
        end: now + window,
        time: Duration::ZERO,
    };
    let known = spent.entry(key).or_insert(fresh);
    if known.end <= now {
        *known = fresh;
    }
    known.time += time;
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_window_is_used_up_by_time() {
        let budget = Budget::new(Some(Duration::from_millis(100)));
        let (one, other) = (Key::user(1), Key::user(2));
        let is_over = |key| budget.charge(Limit::User, key, (20, MINUTE)).is_some();
        for _ in 0..3 {
            assert!(!is_over(one));
            note(&budget.spent, one, Duration::from_millis(999), MINUTE);
        }
        let left = budget.charge(Limit::User, one, (20, MINUTE)).unwrap();
        assert!(left.over && left.remaining == 0 && left.reset <= MINUTE);
        assert!(!is_over(other));
        // A window that is over forgets, and so does none that is not.
        note(&budget.spent, other, Duration::from_secs(9), Duration::ZERO);
        assert!(!is_over(other));
        assert!(is_over(one));
        let off = Budget::new(None);
        note(&off.spent, one, MINUTE, MINUTE);
        assert!(off.charge(Limit::User, one, (20, MINUTE)).is_none());
    }

    #[test]
    fn ever_more_keys_do_not_fill_the_memory() {
        let budget = Budget::new(Some(Duration::from_secs(1)));
        // Longer than the test takes anywhere.
        let window = Duration::from_hours(24);
        note(&budget.spent, Key::user(0), MINUTE, window);
        let more = i64::try_from(KEYS).unwrap() + 500;
        for id in 1..=more {
            note(&budget.spent, Key::user(id), Duration::from_secs(1), window);
            budget.share(Key::user(id));
        }
        assert_eq!(budget.spent.lock().unwrap().len(), KEYS);
        assert!(
            budget.used_up(Key::user(0), MINUTE).is_some(),
            "it was forgotten"
        );
        assert!(budget.shares.lock().unwrap().len() < 1_000);
    }
}
