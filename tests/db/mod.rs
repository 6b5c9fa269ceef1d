mod doors;
mod opening;
mod plans;
mod schema;
