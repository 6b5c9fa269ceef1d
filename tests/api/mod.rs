mod conventions;
mod developers;
mod filters;
mod oracle;
mod pages;
mod reading;
mod search;
mod statements;
