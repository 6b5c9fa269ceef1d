//! What the benchmarks share: a generated directory, and SQLite's C interface used by hand.

#![allow(dead_code, reason = "each benchmark uses its part")]

pub mod directory;
pub mod raw;
pub mod served;
