mod doors;
mod errors;
mod opening;
mod plans;
mod schema;
mod search;
mod standing;
