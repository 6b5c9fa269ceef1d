//! `roster export`: the directory as files, from one snapshot.

use std::{
    fs,
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::{Failure, progress::Progress};
use crate::{
    api::Resource,
    config::{self, Format},
    db::{Db, DbConnection, Readiness, Target},
    files::Kind,
    models::{Skill, Stored},
    openapi::by_name,
    query::{Order, Window},
    resources::{self, Visitor},
};

/// Objects fetched at once.
const CHUNK: usize = 1_024;

pub fn run(target: &Target, args: &config::Export) -> Result<(), Failure> {
    let db = Db::open(target, Readiness::MustExist)?;
    let at = |error: io::Error| Failure::new(format!("{}: {error}", args.folder.display()));
    fs::create_dir_all(&args.folder).map_err(at)?;
    tell_of_others(args).map_err(at)?;
    let counts = db.read_blocking(|conn| {
        let mut exporter = Exporter {
            conn,
            args,
            counts: Ok(Vec::new()),
        };
        resources::each(&mut exporter);
        exporter.counts
    })?;
    let mut out = io::stdout().lock();
    for (name, count) in counts {
        writeln!(out, "{name}: {count} written")?;
    }
    Ok(())
}

/// Says what else is in the folder: it may be the wrong one, and `import` would read what it knows of it.
fn tell_of_others(args: &config::Export) -> io::Result<()> {
    /// More would hide what matters.
    const NAMED: usize = 5;
    let own = Kind::all().into_iter();
    let own: Vec<String> = own.map(|kind| file_name(kind, args.format)).collect();
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

/// Writes the file of each resource, until one cannot be written.
struct Exporter<'a> {
    conn: &'a mut DbConnection,
    args: &'a config::Export,
    counts: Result<Vec<(String, u64)>, Failure>,
}

impl Visitor for Exporter<'_> {
    fn visit<R: Resource>(&mut self) {
        if let Ok(counts) = &mut self.counts {
            match export::<R>(self.conn, self.args) {
                Ok(count) => counts.push(count),
                Err(failure) => self.counts = Err(failure),
            }
        }
    }
}

fn file_name(kind: Kind, format: Format) -> String {
    match format {
        Format::Csv => format!("{}.csv", kind.stem),
        Format::Json => format!("{}.json", kind.stem),
    }
}

/// Writes one file, its cells in the order of the kind's columns. It takes its name when it is whole, so that one of an earlier export is replaced or left, never
/// cut short.
fn export<R: Resource>(
    conn: &mut DbConnection,
    args: &config::Export,
) -> Result<(String, u64), Failure> {
    let kind = Kind::of::<R>();
    let name = file_name(kind, args.format);
    let path = args.folder.join(&name);
    let at = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    // What the API shows to nobody but owners and staff is for the owner of the file alone; the rest as the umask has it.
    let mode = if name.starts_with("users") || name.starts_with("projects") {
        0o600
    } else {
        0o666
    };
    let file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(&args.folder)
        .map_err(at)?;
    let mut out = Out::new(args.format, kind, BufWriter::new(file)).map_err(at)?;
    let mut progress = Progress::begin(&name);
    let mut count = 0;
    each_chunk::<R>(conn, |conn, rows| {
        for object in R::exported(conn, rows).map_err(Failure::new)? {
            out.object(kind, &object).map_err(at)?;
            progress.step();
            count += 1;
        }
        Ok(())
    })?;
    keep(out.finish().map_err(at)?, &path).map_err(at)?;
    Ok((name, count))
}

fn keep(out: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// Calls `take` with all rows in the order of their ids, some at a time.
fn each_chunk<M: Stored>(
    conn: &mut DbConnection,
    mut take: impl FnMut(&mut DbConnection, Vec<M>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let order = Order::parse("id").map_err(Failure::new)?;
    let mut window = Window {
        order,
        cursor: None,
        size: CHUNK,
    };
    loop {
        let slice = window.cut(conn, M::all())?;
        take(conn, slice.rows)?;
        window.cursor = slice.next;
        if window.cursor.is_none() {
            return Ok(());
        }
    }
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

    /// Writes the columns of an object. What it refers to goes by name.
    fn object(&mut self, kind: Kind, object: &Map<String, Value>) -> io::Result<()> {
        let cell = |name| (name, object.get(name).map_or(Value::Null, by_name));
        let cells = kind.exported().map(cell);
        match self {
            Self::Csv(writer) => Ok(writer.write_record(cells.map(|(_, cell)| csv_cell(&cell)))?),
            Self::Json { out, first } => {
                out.write_all(if std::mem::take(first) { b"\n" } else { b",\n" })?;
                let cells = cells.map(|(name, cell)| (name.to_owned(), cell));
                let object: Map<String, Value> = cells.collect();
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
