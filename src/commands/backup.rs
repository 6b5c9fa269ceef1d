//! `roster backup`: a consistent copy of an embedded database.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use indicatif::HumanBytes;
use tempfile::NamedTempFile;

use super::{Failure, progress::watch};
use crate::{
    config::Backup,
    db::{self, DbConnection, Target},
};

pub fn run(target: &Target, args: &Backup) -> Result<(), Failure> {
    // A database of an earlier version is fine: a backup is made before its migration.
    db::pending(target)?;
    let mut conn = DbConnection::connect(target)?;
    let name = args.file.display();
    let at = |error: io::Error| Failure::new(format!("{name}: {error}"));
    if args.file.exists() {
        return Err(Failure::new(format!("{name} is there already")));
    }
    let folder = match args.file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::metadata(folder).map_err(at)?;
    // Readable by its owner alone, as temporary files are: it holds the hashes of passwords.
    let copy = NamedTempFile::new_in(folder).map_err(|error| at(error.kind().into()))?;
    let size = || copy.as_file().metadata().map_or(0, |file| file.len());
    watch(
        || format!("{name}: {}", HumanBytes(size())),
        || conn.copy_to(copy.path()),
    )
    .map_err(|error| Failure::new(format!("{name}: {error}")))?;
    if args.verify {
        verify(copy.path())?;
    }
    copy.as_file().sync_all().map_err(at)?;
    let size = size();
    copy.persist_noclobber(&args.file)
        .map_err(|error| at(error.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(at)?;
    let verified = if args.verify { ", verified" } else { "" };
    writeln!(io::stdout(), "{name}: {size} bytes{verified}")?;
    Ok(())
}

fn verify(copy: &Path) -> Result<(), Failure> {
    let target = Target::Sqlite(copy.to_owned());
    db::pending(&target)?;
    let mut conn = DbConnection::connect(&target)?;
    let faults = watch(|| "checking the copy".to_owned(), || conn.faults())?;
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults.into_iter().map(|fault| format!("the copy: {fault}"));
    Err(Failure(faults.collect()))
}
