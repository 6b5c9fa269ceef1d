mod crash;
mod import;
mod secrets;
mod serve;
mod settings;
mod transfer;
mod users;
mod watching;
