//! A directory of companies, developers, skills and projects, served over REST by one binary.

pub mod api;
pub mod auth;
pub mod commands;
pub mod config;
pub mod db;
mod email;
mod endpoint;
pub mod error;
pub mod files;
mod json;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod models;
pub mod openapi;
pub mod query;
pub mod render;
pub mod resources;
pub mod routes;
pub mod rules;
pub mod server;
pub mod text;
pub mod urls;
pub mod wire;

/// The version, and in parentheses the commit that it was built from, where that is known.
pub const VERSION: &str = env!("VERSION_AND_COMMIT");
