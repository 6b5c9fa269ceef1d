//! The files of an embedded database, which SQLite alone may open.
//!
//! SQLite guards them with POSIX locks, and a process loses all its locks on a file when it closes any descriptor of it, also
//! one that had nothing to do with them (<https://sqlite.org/howtocorrupt.html>, section 2.2). Another program then takes the
//! database for one that nobody uses, and deletes its log. Everything here is therefore done with names and `stat`.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// Bytes of the smallest database: one page of the smallest size.
const SMALLEST: u64 = 512;
/// Symbolic links that are followed to where a new file belongs: as many as Linux follows.
const LINKS_MAX: u32 = 40;

/// Makes the empty file of a new database where there is none. It is readable by its owner alone, for it will hold the hashes of
/// passwords; SQLite gives its log the same mode.
///
/// # Errors
/// When the folder is not there or may not be written to.
pub fn make(path: &Path) -> io::Result<()> {
    let path = destination(path);
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::metadata(folder)?;
    // Closed before it has the name by which SQLite could have locked it.
    let file = NamedTempFile::new_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    match file.into_temp_path().persist_noclobber(&path) {
        Err(failed) if failed.error.kind() != io::ErrorKind::AlreadyExists => Err(failed.error),
        _ => Ok(()),
    }
}

/// Where a file of this name is made: at the end of the symbolic links, if it is one.
fn destination(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => break,
        }
    }
    path
}

/// Refuses what is certainly no database. SQLite finds out the rest when it first reads the file, but would take a file of one
/// byte for an empty database and write over it.
///
/// # Errors
/// What is wrong, in SQLite's own words.
pub fn may_be_database(path: &Path) -> Result<(), &'static str> {
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => Err("unable to open database file"),
        Ok(file) if (1..SMALLEST).contains(&file.len()) => Err("file is not a database"),
        // A path that cannot be looked at is SQLite's to refuse.
        _ => Ok(()),
    }
}

/// The address by which SQLite opens a file that is there and never makes one; `None` when the path is not UTF-8.
pub fn address(path: &Path) -> Option<String> {
    let path = path.to_str()?;
    let path = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Some(format!("file://{path}?mode=rw"))
}

/// The path of a database's log, or of the index of that. SQLite keeps them beside the file itself, not beside a link to it.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name: OsString = path.into();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_means_something_in_it() {
        assert_eq!(
            address(Path::new("/a b/50%?#.db")).unwrap(),
            "file:///a b/50%25%3f%23.db?mode=rw"
        );
    }
}
