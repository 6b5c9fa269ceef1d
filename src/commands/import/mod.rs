//! `roster import`: files into the directory, all of them in one transaction.

mod companies;
mod developers;
mod names;
mod passwords;
mod projects;
mod report;
mod row;
mod skills;
mod source;
mod users;

use std::{
    collections::HashSet,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use self::{
    passwords::{Passwords, prepare},
    report::Report,
    row::Row,
    source::{Form, Source},
};
use super::{Failure, open_or_make, progress::Progress, temporary};
use crate::{
    config,
    db::{self, Db, DbConnection, Readiness, Stamp, Target},
    files::Kind,
    models::{Action, Author, ObjectType},
};

/// # Errors
/// The lines for standard error; nothing was imported then.
pub fn run(target: &Target, args: &config::Import) -> Result<(), Failure> {
    let sources = sources(&args.paths)?;
    // Where there is no database yet, a dry run tries the files in one that goes with it.
    let scratch = (args.dry_run && db::is_new(target)?).then(|| temporary("dry-run"));
    let scratch = scratch.transpose()?;
    let db = match &scratch {
        Some((_, scratch)) => Db::open(scratch, Readiness::CreateWhenNew)?,
        None => open_or_make(target)?,
    };
    let imported = import(&db, sources, args.dry_run);
    db.close();
    let mut out = io::stdout().lock();
    for (name, tally) in imported? {
        let Tally {
            added,
            changed,
            unchanged,
        } = tally;
        writeln!(
            out,
            "{name}: {added} added, {changed} changed, {unchanged} unchanged"
        )?;
    }
    if args.dry_run {
        writeln!(out, "a dry run: nothing was imported")?;
    }
    Ok(())
}

/// Imports files that the binary carries.
///
/// # Errors
/// When the database refuses them.
pub fn embedded(db: &Db, files: impl IntoIterator<Item = (Kind, String)>) -> Result<(), Failure> {
    let files = files.into_iter();
    let sources = files.map(|(kind, text)| Source::embedded(kind, text));
    import(db, sources.collect(), false).map(|_| ())
}

/// What became of a file's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    added: u64,
    changed: u64,
    unchanged: u64,
}

impl Tally {
    /// For the audit trail.
    fn counts(self) -> Map<String, Value> {
        let counts = [
            ("added", self.added),
            ("changed", self.changed),
            ("unchanged", self.unchanged),
        ];
        counts
            .into_iter()
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect()
    }
}

const fn object_type(kind: Kind) -> ObjectType {
    match kind {
        Kind::Companies => ObjectType::Company,
        Kind::Skills => ObjectType::Skill,
        Kind::Users => ObjectType::User,
        Kind::Developers => ObjectType::Developer,
        Kind::Projects => ObjectType::Project,
    }
}

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Added,
    Changed,
    Unchanged,
    /// Its errors are in the report.
    Refused,
}

/// Why nothing was imported.
enum Undone {
    Errors(Report),
    DryRun(Vec<(String, Tally)>),
    Database(db::Error),
}

impl From<db::Error> for Undone {
    fn from(error: db::Error) -> Self {
        Self::Database(error)
    }
}

impl From<diesel::result::Error> for Undone {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Takes the rows of one kind of file.
trait Importer {
    /// Checks a row, and writes it when there is nothing to say against it.
    fn take(&mut self, conn: &mut DbConnection, row: &mut Row<'_>) -> Result<Outcome, db::Error>;

    /// Checks what only all rows together can break.
    fn finish(
        &mut self,
        _conn: &mut DbConnection,
        _file: &str,
        _report: &mut Report,
    ) -> Result<(), db::Error> {
        Ok(())
    }
}

fn import(
    db: &Db,
    mut sources: Vec<Source>,
    dry_run: bool,
) -> Result<Vec<(String, Tally)>, Failure> {
    let passwords = sources.iter_mut().map(|source| prepare(db, source));
    let passwords: Result<Vec<_>, Undone> = passwords.collect();
    let result = passwords.and_then(|passwords| {
        let sources = sources.into_iter().zip(passwords).collect();
        db.write_blocking(move |conn| take_all_or_nothing(conn, sources, dry_run))
    });
    match result {
        Ok(tallies) | Err(Undone::DryRun(tallies)) => Ok(tallies),
        Err(Undone::Errors(report)) => Err(Failure(report.into_lines())),
        Err(Undone::Database(error)) => Err(Failure::new(format!("nothing was imported: {error}"))),
    }
}

/// A file, and what was made of the passwords in it.
type Prepared = (Source, Passwords);

fn take_all_or_nothing(
    conn: &mut DbConnection,
    sources: Vec<Prepared>,
    dry_run: bool,
) -> Result<Vec<(String, Tally)>, Undone> {
    let mut report = Report::default();
    let tallies = take_files(conn, sources, &mut report)?;
    if !report.is_empty() {
        return Err(Undone::Errors(report));
    }
    if dry_run {
        Err(Undone::DryRun(tallies))
    } else {
        Ok(tallies)
    }
}

fn take_files(
    conn: &mut DbConnection,
    sources: Vec<Prepared>,
    report: &mut Report,
) -> Result<Vec<(String, Tally)>, Undone> {
    /// A row of a file is about that long.
    const ROW: u64 = 100;
    let take = |(source, passwords): Prepared| {
        let (name, rows) = (source.name.clone(), source.length / ROW);
        let table = source.kind.stem();
        let tally = conn.adding(table, rows, |conn| {
            take_all(conn, source, passwords, report)
        })?;
        Ok((name, tally))
    };
    sources.into_iter().map(take).collect()
}

fn take_all(
    conn: &mut DbConnection,
    source: Source,
    passwords: Passwords,
    report: &mut Report,
) -> Result<Tally, Undone> {
    let (kind, name) = (source.kind, source.name.clone());
    let mut importer: Box<dyn Importer> = match kind {
        Kind::Companies => Box::new(companies::Companies::new(Stamp::now())),
        Kind::Skills => Box::new(skills::Skills::default()),
        Kind::Users => Box::new(users::Users::new(Stamp::now(), passwords)),
        Kind::Developers => Box::new(developers::Developers::new(conn, Stamp::now())?),
        Kind::Projects => Box::new(projects::Projects::new(Stamp::now())),
    };
    let mut progress = Progress::begin(&name);
    let mut tally = Tally::default();
    let mut explicit_ids = false;
    source.each(report, |record, report| {
        let mut row = Row::new(&name, kind, record, report);
        explicit_ids |= row.has("id");
        match importer.take(conn, &mut row)? {
            Outcome::Added => tally.added += 1,
            Outcome::Changed => tally.changed += 1,
            Outcome::Unchanged => tally.unchanged += 1,
            Outcome::Refused => {}
        }
        progress.step();
        Ok(())
    })?;
    importer.finish(conn, &name, report)?;
    if explicit_ids {
        conn.pass_ids(kind.stem())?;
    }
    Author::default().record(
        conn,
        Action::Import,
        (object_type(kind), None),
        &tally.counts(),
    )?;
    Ok(tally)
}

/// The files behind the paths, opened, in the order in which they depend on one another.
fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let at = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
        if fs::metadata(path).map_err(at)?.is_dir() {
            found.extend(in_folder(path)?);
        } else {
            found.push((kind_of(path)?, path.clone()));
        }
    }
    found.sort_by_key(|((kind, _), _)| *kind);
    let mut seen = HashSet::new();
    found.retain(|(_, path)| seen.insert(path.clone()));
    found
        .into_iter()
        .map(|((kind, form), path)| {
            Source::open(kind, form, &path)
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
        })
        .collect()
}

type Found = ((Kind, Form), PathBuf);

fn in_folder(folder: &Path) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)
        .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?
    {
        let path = entry?.path();
        if let Ok(kind) = kind_of(&path) {
            found.push((kind, path));
        }
    }
    if found.is_empty() {
        return Err(Failure::new(format!(
            "{}: there is nothing to import in this folder",
            folder.display()
        )));
    }
    found.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(found)
}

fn kind_of(path: &Path) -> Result<(Kind, Form), Failure> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let kind = Kind::ALL.into_iter().find(|kind| stem == Some(kind.stem()));
    kind.zip(form_of(path)).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::stem).join(", ");
        Failure::new(format!(
            "{}: an import file is one of {names}, as .csv or .json",
            path.display()
        ))
    })
}

fn form_of(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()? {
        "csv" => Some(Form::Csv),
        "json" => Some(Form::Json),
        _ => None,
    }
}
