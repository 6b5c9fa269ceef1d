mod import;
mod serve;
mod settings;
mod transfer;
mod users;
