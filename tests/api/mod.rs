mod conventions;
mod developers;
mod pages;
mod reading;
mod statements;
