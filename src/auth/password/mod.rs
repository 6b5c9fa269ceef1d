//! Passwords: what a new one must be, and the hashes that stand for them.

mod hash;
mod hasher;
mod rules;

pub use self::{
    hash::PasswordHash,
    hasher::Hasher,
    rules::{LENGTH_MAX, LENGTH_MIN, check},
};
