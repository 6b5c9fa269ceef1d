use std::{
    collections::HashMap,
    future::ready,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Count, Counted, Key, Limit, Returned, Store};

/// Parts with a lock each, so that threads seldom wait for one another.
const SHARDS: usize = 256;
/// Keys of one shard at most: as many as fit into a table of 2^14 buckets of 33 bytes, so that all shards together hold
/// 3.6 million in 138 MB at most. Those who share a count are among them.
const KEYS: usize = (1 << 14) / 8 * 7 - Limit::ALL.len();
/// Keys of one shard that are not worth a look.
const LEAST: usize = 1_024;
/// Milliseconds from one look for windows that are over to the next.
const LOOK: u64 = 1_000;

/// Counts in the memory of this process.
///
/// A window is only forgotten when it is over. When there is no room for another, because millions of addresses came within
/// one window, those who come new share one count: an attacker who has so many addresses can slow newcomers
/// down, but can neither fill the memory nor make the server forget whom it has already counted.
pub struct Memory {
    begun: Instant,
    hasher: RandomState,
    shards: Vec<Mutex<Shard>>,
}

struct Shard {
    /// Keys at most.
    room: usize,
    windows: HashMap<Key, Window>,
    /// With so many keys it looks which of them are over,
    full: usize,
    /// but not before this.
    look: u64,
}

/// What one key has used.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Milliseconds since the store begun.
    end: u64,
    count: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self::with_room(KEYS)
    }
}

impl Memory {
    /// With room for so many keys in each shard.
    fn with_room(room: usize) -> Self {
        let shard = || Shard {
            room,
            windows: HashMap::new(),
            full: LEAST.min(room),
            look: 0,
        };
        Self {
            begun: Instant::now(),
            hasher: RandomState::new(),
            shards: std::iter::repeat_with(|| Mutex::new(shard()))
                .take(SHARDS)
                .collect(),
        }
    }
}

impl Store for Memory {
    fn take(&self, key: Key, requests: u32, window: Duration) -> Counted<'_> {
        let now = self.begun.elapsed();
        Box::pin(ready(Ok(self.take_at(now, key, requests, window))))
    }

    fn give_back(&self, key: Key) -> Returned<'_> {
        let now = self.begun.elapsed();
        self.give_back_at(now, key);
        Box::pin(ready(Ok(())))
    }
}

impl Memory {
    /// As [`Store::take`], so long after the store begun.
    fn take_at(&self, now: Duration, key: Key, requests: u32, window: Duration) -> Count {
        self.shard(key)
            .take(millis(now), key, requests, millis(window))
    }

    /// As [`Store::give_back`], so long after the store begun.
    fn give_back_at(&self, now: Duration, key: Key) {
        self.shard(key).give_back(millis(now), key);
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or_default();
        // What a shard holds is whole after every line that changes it.
        self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn take(&mut self, now: u64, key: Key, requests: u32, length: u64) -> Count {
        let key = self.place(now, key);
        let fresh = Window {
            end: now.saturating_add(length),
            count: 0,
        };
        let window = self.windows.entry(key).or_insert(fresh);
        if window.end <= now {
            *window = fresh;
        }
        let over = window.count >= requests;
        if !over {
            window.count += 1;
        }
        Count {
            over,
            remaining: requests - window.count.min(requests),
            reset: Duration::from_millis(window.end - now),
        }
    }

    /// A key that has shared a count has no window of its own; the shared one forgets nothing.
    fn give_back(&mut self, now: u64, key: Key) {
        if let Some(window) = self.windows.get_mut(&key)
            && window.end > now
        {
            window.count = window.count.saturating_sub(1);
        }
    }

    /// Where `key` is counted: at a place of its own as long as there is one.
    fn place(&mut self, now: u64, key: Key) -> Key {
        if self.windows.contains_key(&key) {
            return key;
        }
        if self.windows.len() >= self.full && now >= self.look {
            self.windows.retain(|_, window| window.end > now);
            self.look = now + LOOK;
            self.full = (self.windows.len() * 2).max(LEAST).min(self.room);
            self.windows.shrink_to(self.full);
        }
        if self.windows.len() < self.room {
            key
        } else {
            key.everybody_else()
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::{IpAddr, Ipv4Addr},
        sync::atomic::{AtomicU32, Ordering},
    };

    const MINUTE: Duration = Duration::from_mins(1);

    fn key(number: u32) -> Key {
        Key::address(Limit::Address, IpAddr::V4(Ipv4Addr::from(number)))
    }

    #[test]
    fn a_window_begins_with_its_first_request_and_lets_through_what_it_says() {
        let store = Memory::default();
        let take = |seconds| store.take_at(Duration::from_secs(seconds), key(1), 3, MINUTE);
        let counts: Vec<_> = [5, 10, 64, 64, 65].map(take).into();
        let shape = |count: &Count| (count.over, count.remaining, count.reset.as_secs());
        assert_eq!(
            counts.iter().map(shape).collect::<Vec<_>>(),
            [
                (false, 2, 60),
                (false, 1, 55),
                (false, 0, 1),
                (true, 0, 1),
                (false, 2, 60)
            ]
        );
        assert_eq!(
            store.take_at(Duration::ZERO, key(2), 3, MINUTE).remaining,
            2
        );
    }

    #[test]
    fn what_is_given_back_was_not_counted() {
        let store = Memory::default();
        let at = Duration::from_secs;
        let take = |seconds| store.take_at(at(seconds), key(1), 2, MINUTE).over;
        assert!(!take(0) && !take(0) && take(0));
        store.give_back_at(at(1), key(1));
        assert!(!take(1) && take(1));
        // Neither what is over nor what nobody knows goes below nothing.
        store.give_back_at(at(61), key(1));
        store.give_back_at(at(61), key(2));
        assert!(!take(61) && !take(61) && take(61));
    }

    #[test]
    fn threads_at_once_get_through_as_often_as_the_rate_says() {
        let store = Memory::default();
        let through = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        if !store.take_at(Duration::ZERO, key(1), 100, MINUTE).over {
                            through.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(through.into_inner(), 100);
    }

    #[test]
    fn ever_more_addresses_neither_fill_the_memory_nor_make_it_forget() {
        let store = Memory::with_room(100);
        let most = SHARDS * (100 + Limit::ALL.len());
        let held = || -> usize {
            let shards = store.shards.iter();
            shards
                .map(|shard| shard.lock().unwrap().windows.len())
                .sum()
        };
        let over = |seconds, number| {
            let at = Duration::from_secs(seconds);
            store.take_at(at, key(number), 1, MINUTE).over
        };
        assert!(!over(0, 0));
        for number in 1..=100_000 {
            over(1, number);
        }
        assert!((25_600..=most).contains(&held()), "{} of {most}", held());
        assert!(over(59, 0), "it was forgotten");
        assert!(over(30, 200_000), "those without a place share one count");
        // When their windows are over, so is the crowd.
        assert!(!over(62, 200_000) && !over(62, 0));
        for number in 300_000..301_000 {
            over(63, number);
        }
        assert!(held() < 10_000, "{}", held());
    }
}
