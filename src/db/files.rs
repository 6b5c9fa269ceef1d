//! The files of an embedded database, which SQLite alone may open.
//!
//! SQLite guards them with POSIX locks, and a process loses all its locks on a file when it closes any descriptor of it, also
//! one that had nothing to do with them (<https://sqlite.org/howtocorrupt.html>, section 2.2). Another program then takes the
//! database for one that nobody uses, and deletes its log. Everything here is therefore done with names and `stat`.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::Error;

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

/// What a file is, whatever its name: its device and its inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileId(u64, u64);

impl FileId {
    /// # Errors
    /// When there is no such file.
    pub fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self(file.dev(), file.ino()))
    }
}

/// The files that SQLite has open, to be compared later with those that have their names then.
#[derive(Debug, Clone)]
pub struct Files([Named; 3]);

#[derive(Debug, Clone)]
struct Named {
    what: &'static str,
    path: PathBuf,
    id: FileId,
}

impl Files {
    /// Those of a database that is open in WAL mode and has been read. They keep their names as long as anybody has it open.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn of(path: &Path) -> io::Result<Self> {
        let named = |what, path: PathBuf| FileId::of(&path).map(|id| Named { what, path, id });
        Ok(Self([
            named("the database's file", path.to_owned())?,
            named("the database's log", beside(path, "-wal"))?,
            named("the index of the database's log", beside(path, "-shm"))?,
        ]))
    }

    /// The file that holds the tables.
    pub fn database(&self) -> FileId {
        self.0[0].id
    }

    /// # Errors
    /// [`Error::Lost`] when one of the names leads to nothing or to another file: what SQLite writes would be lost.
    pub fn are_in_place(&self) -> Result<(), Error> {
        for Named { what, path, id } in &self.0 {
            match FileId::of(path) {
                Ok(found) if found == *id => {}
                Ok(_) => return Err(Error::Lost(format!("{what} was replaced by another"))),
                Err(error) => return Err(Error::Lost(format!("{what} is gone: {error}"))),
            }
        }
        Ok(())
    }
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
