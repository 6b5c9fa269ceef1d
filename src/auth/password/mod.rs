//! Passwords: what a new one must be, and the hashes that stand for them.

mod hash;
mod hasher;
mod kind;
mod rules;

pub use self::{
    hash::PasswordHash,
    hasher::Hasher,
    kind::Kind,
    rules::{LENGTH_MAX, LENGTH_MIN, check},
};
