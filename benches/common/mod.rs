//! What the benchmarks share: a generated directory, somebody signed in, and SQLite's C interface used by hand.

#![allow(dead_code, reason = "each benchmark uses its part")]

pub mod caller;
pub mod directory;
pub mod raw;
pub mod served;
