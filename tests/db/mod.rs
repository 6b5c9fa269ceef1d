mod doors;
mod opening;
mod schema;
