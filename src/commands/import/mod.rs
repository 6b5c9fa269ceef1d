//! `roster import`: files into the directory, all of them in one transaction.

mod passwords;
mod report;
mod source;
mod take;

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
    source::{Form, Source},
    take::Taker,
};
use super::{Failure, open_or_make, progress::Progress, temporary};
use crate::{
    api::Resource,
    config,
    db::{self, Db, DbConnection, Readiness, Target},
    error::Error,
    files::Kind,
    models::{Action, Author, User},
    resources::{self, Visitor},
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

/// Why nothing was imported.
enum Undone {
    Errors(Report),
    DryRun(Vec<(String, Tally)>),
    Database(db::Error),
    Failed(Error),
}

impl From<db::Error> for Undone {
    fn from(error: db::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<diesel::result::Error> for Undone {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
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
        Err(Undone::Failed(error)) => Err(Failure::new(format!("nothing was imported: {error}"))),
    }
}

/// A file, and what was made of the passwords in it.
type Prepared = (Source, Passwords);

fn take_all_or_nothing(
    conn: &mut DbConnection,
    sources: Vec<Prepared>,
    dry_run: bool,
) -> Result<Vec<(String, Tally)>, Undone> {
    if sources
        .iter()
        .any(|(source, _)| source.kind == Kind::of::<User>())
    {
        User::alone(conn)?;
    }
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
    let mut tallies = Vec::with_capacity(sources.len());
    let mut importers = Importers::default();
    resources::each(&mut importers);
    for (source, passwords) in sources {
        let (name, rows) = (source.name.clone(), source.length / ROW);
        let table = source.kind.stem;
        let Some((_, take_all)) = importers.0.iter().find(|(stem, _)| *stem == table) else {
            continue;
        };
        let tally = conn.adding(table, rows, |conn| {
            take_all(conn, source, passwords, report)
        })?;
        tallies.push((name, tally));
    }
    Ok(tallies)
}

type TakeAll = fn(&mut DbConnection, Source, Passwords, &mut Report) -> Result<Tally, Undone>;

/// How the files of each resource are taken, by their stems.
#[derive(Default)]
struct Importers(Vec<(&'static str, TakeAll)>);

impl Visitor for Importers {
    fn visit<R: Resource>(&mut self) {
        self.0.push((R::ABOUT.many, take_all::<R>));
    }
}

fn take_all<R: Resource>(
    conn: &mut DbConnection,
    source: Source,
    passwords: Passwords,
    report: &mut Report,
) -> Result<Tally, Undone> {
    let name = source.name.clone();
    let mut taker = Taker::<R>::new(conn, &name, passwords)?;
    let mut progress = Progress::begin(&name);
    source.each(report, |record, report| {
        taker.take(conn, record, report)?;
        progress.step();
        Ok(())
    })?;
    let tally = taker.finish(conn, report)?;
    Author::default().record(conn, Action::Import, (R::TYPE, None), &tally.counts())?;
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
    let order = Kind::all();
    found.sort_by_key(|((kind, _), _)| order.iter().position(|known| known == kind));
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
    let kinds = Kind::all();
    let kind = kinds.iter().copied().find(|kind| stem == Some(kind.stem));
    kind.zip(form_of(path)).ok_or_else(|| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.stem).collect();
        let names = names.join(", ");
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
