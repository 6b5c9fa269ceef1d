//! `roster export`: the directory as files, from one snapshot.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::{Failure, progress::Progress};
use crate::{
    auth::PasswordHash,
    config::{self, Format},
    db::{Db, DbConnection, Readiness, Target},
    files::Kind,
    models::{Company, Developer, Project, Skill, User},
    query::{Listed, Order, Window},
};

/// Objects fetched at once.
const CHUNK: usize = 1_024;

pub fn run(target: &Target, args: &config::Export) -> Result<(), Failure> {
    let db = Db::open(target, Readiness::MustExist)?;
    let at = |error: io::Error| Failure::new(format!("{}: {error}", args.folder.display()));
    fs::create_dir_all(&args.folder).map_err(at)?;
    tell_of_others(args).map_err(at)?;
    let counts = db.read_blocking(|conn| {
        Kind::ALL
            .into_iter()
            .map(|kind| Ok((kind, export(conn, kind, args)?)))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let mut out = io::stdout().lock();
    for (kind, count) in counts {
        writeln!(out, "{}: {count} written", file_name(kind, args.format))?;
    }
    Ok(())
}

/// Says what else is in the folder: it may be the wrong one, and `import` would read what it knows of it.
fn tell_of_others(args: &config::Export) -> io::Result<()> {
    /// More would hide what matters.
    const NAMED: usize = 5;
    let own = Kind::ALL.map(|kind| file_name(kind, args.format));
    let mut others = Vec::new();
    for entry in fs::read_dir(&args.folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !own.contains(&name) {
            others.push(name);
        }
    }
    others.sort_unstable();
    if let Some(more) = others.len().checked_sub(1) {
        let named = others.iter().take(NAMED).map(String::as_str);
        let named = named.collect::<Vec<_>>().join(", ");
        let more = match (more + 1).saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let folder = args.folder.display();
        let _ = writeln!(
            io::stderr(),
            "{folder} holds other files, which stay: {named}{more}"
        );
    }
    Ok(())
}

fn file_name(kind: Kind, format: Format) -> String {
    match format {
        Format::Csv => format!("{}.csv", kind.stem()),
        Format::Json => format!("{}.json", kind.stem()),
    }
}

/// Writes one file, its cells in the order of the kind's columns. It takes its name when it is whole, so that one of an earlier export is replaced or left, never
/// cut short.
fn export(conn: &mut DbConnection, kind: Kind, args: &config::Export) -> Result<u64, Failure> {
    let name = file_name(kind, args.format);
    let path = args.folder.join(&name);
    let at = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let file = NamedTempFile::new_in(&args.folder).map_err(at)?;
    let mut out = Out::new(args.format, kind, BufWriter::new(file)).map_err(at)?;
    let mut progress = Progress::begin(&name);
    let mut count = 0;
    let mut write = |objects: Vec<Vec<Value>>| -> Result<(), Failure> {
        for cells in objects {
            out.object(kind, cells).map_err(at)?;
            progress.step();
            count += 1;
        }
        Ok(())
    };
    match kind {
        Kind::Companies => each_chunk(conn, Company::all, |_, rows| {
            write(rows.into_iter().map(company).collect())
        })?,
        Kind::Skills => each_chunk(conn, Skill::all, |_, rows| {
            write(rows.into_iter().map(skill).collect())
        })?,
        Kind::Users => each_chunk(conn, User::all, |conn, rows: Vec<User>| {
            let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            let mut hashes = User::passwords(conn, &ids)?;
            let users = rows.into_iter().map(|row| {
                let hash = hashes.remove(&row.id);
                user(row, hash)
            });
            write(users.collect())
        })?,
        Kind::Developers => each_chunk(conn, Developer::all, |conn, rows| {
            let rows = Developer::with_skills(conn, rows)?;
            write(rows.into_iter().map(developer).collect())
        })?,
        Kind::Projects => each_chunk(conn, Project::all, |conn, rows| {
            let rows = Project::with_skills(conn, rows)?;
            write(rows.into_iter().map(project).collect())
        })?,
    }
    // Hashes of passwords are for the owner's eyes alone.
    let mode = if kind == Kind::Users { 0o600 } else { 0o644 };
    keep(out.finish().map_err(at)?, &path, mode).map_err(at)?;
    Ok(count)
}

fn keep(out: BufWriter<NamedTempFile>, path: &Path, mode: u32) -> io::Result<()> {
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    file.as_file().set_permissions(mode)?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// Calls `take` with all rows in the order of their ids, some at a time.
fn each_chunk<M: Listed>(
    conn: &mut DbConnection,
    all: fn() -> M::Query,
    mut take: impl FnMut(&mut DbConnection, Vec<M>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let order = Order::parse("id").map_err(Failure::new)?;
    let mut window = Window {
        order,
        cursor: None,
        size: CHUNK,
    };
    loop {
        let slice = window.cut(conn, all())?;
        take(conn, slice.rows)?;
        window.cursor = slice.next;
        if window.cursor.is_none() {
            return Ok(());
        }
    }
}

// The cells of each kind, in the order of its columns.

fn company(row: Company) -> Vec<Value> {
    vec![
        row.id.into(),
        row.name.into(),
        row.founded_year.into(),
        time(Some(row.created_at)),
    ]
}

fn skill(row: Skill) -> Vec<Value> {
    vec![row.id.into(), row.name.into(), row.category.into()]
}

fn developer((row, skills): (Developer, Vec<Skill>)) -> Vec<Value> {
    let skills = names(skills);
    vec![
        row.id.into(),
        row.name.into(),
        row.company.name.into(),
        row.years_experience.into(),
        time(row.last_login),
        time(Some(row.created_at)),
        skills,
        row.user.map_or(Value::Null, |user| user.username.into()),
    ]
}

fn user(row: User, hash: Option<PasswordHash>) -> Vec<Value> {
    let hash = hash.filter(|hash| *hash != PasswordHash::unusable());
    vec![
        row.id.into(),
        row.username.into(),
        row.email.into(),
        hash.map_or(Value::Null, |hash| hash.as_str().into()),
        row.is_staff.into(),
        row.is_active.into(),
        time(Some(row.date_joined)),
        time(row.last_login),
    ]
}

fn project((row, skills): (Project, Vec<Skill>)) -> Vec<Value> {
    vec![
        row.id.into(),
        row.owner.username.into(),
        row.name.into(),
        row.description.into(),
        names(skills),
        time(Some(row.created_at)),
    ]
}

fn names(skills: Vec<Skill>) -> Value {
    skills.into_iter().map(|skill| skill.name).collect()
}

fn time(stamp: Option<crate::db::Stamp>) -> Value {
    stamp.map_or(Value::Null, |stamp| stamp.to_string().into())
}

/// A file being written in either form.
enum Out<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Json { out: W, first: bool },
}

impl<W: Write> Out<W> {
    fn new(format: Format, kind: Kind, mut out: W) -> io::Result<Self> {
        Ok(match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(kind.exported())?;
                Self::Csv(Box::new(writer))
            }
            Format::Json => {
                out.write_all(b"[")?;
                Self::Json { out, first: true }
            }
        })
    }

    fn object(&mut self, kind: Kind, cells: Vec<Value>) -> io::Result<()> {
        match self {
            Self::Csv(writer) => Ok(writer.write_record(cells.iter().map(csv_cell))?),
            Self::Json { out, first } => {
                out.write_all(if std::mem::take(first) { b"\n" } else { b",\n" })?;
                let names = kind.exported().map(ToOwned::to_owned);
                let object: Map<String, Value> = names.zip(cells).collect();
                Ok(serde_json::to_writer(out, &object)?)
            }
        }
    }

    fn finish(self) -> io::Result<W> {
        match self {
            Self::Csv(writer) => writer
                .into_inner()
                .map_err(|error| io::Error::other(error.to_string())),
            Self::Json { mut out, .. } => {
                out.write_all(b"\n]\n")?;
                Ok(out)
            }
        }
    }
}

fn csv_cell(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(texts) => {
            let separator = Skill::SEPARATOR.to_string();
            texts
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(&separator)
        }
        other => other.to_string(),
    }
}
