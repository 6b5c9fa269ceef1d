//! Every promise, from outside: over HTTP and the command line, each test on a fresh database of its own.
//!
//! With `--features postgres` and `ROSTER_TEST_POSTGRES_URL` (a database in which schemas may be made) the same tests
//! run on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod cli;
mod clients;
mod db;
mod support;
