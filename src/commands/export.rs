//! `roster export`: the directory as files, from one snapshot.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use diesel::prelude::*;
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::{Failure, progress::Progress};
use crate::{
    config::{self, Format},
    db::{
        Db, DbConnection, Readiness, Target,
        schema::{companies, developers, skills},
    },
    files::Kind,
    models::{Company, Developer, Skill},
};

/// Objects fetched at once.
const CHUNK: i64 = 1_024;

pub fn run(target: &Target, args: &config::Export) -> Result<(), Failure> {
    let db = Db::open(target, Readiness::MustExist)?;
    let at = |error: io::Error| Failure::new(format!("{}: {error}", args.folder.display()));
    fs::create_dir_all(&args.folder).map_err(at)?;
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

fn file_name(kind: Kind, format: Format) -> String {
    match format {
        Format::Csv => format!("{}.csv", kind.stem()),
        Format::Json => format!("{}.json", kind.stem()),
    }
}

/// Writes one file. It takes its name when it is whole, so that one of an earlier export is replaced or left, never
/// cut short.
fn export(conn: &mut DbConnection, kind: Kind, args: &config::Export) -> Result<u64, Failure> {
    let name = file_name(kind, args.format);
    let path = args.folder.join(&name);
    let at = |error: io::Error| Failure::new(format!("{}: {error}", path.display()));
    let file = NamedTempFile::new_in(&args.folder).map_err(at)?;
    let mut out = Out::new(args.format, kind, BufWriter::new(file)).map_err(at)?;
    let mut progress = Progress::begin(&name);
    let mut count = 0;
    let mut last = 0;
    loop {
        let objects = match kind {
            Kind::Companies => companies_after(conn, last)?,
            Kind::Skills => skills_after(conn, last)?,
            Kind::Developers => developers_after(conn, last)?,
        };
        let Some((id, _)) = objects.last() else { break };
        last = *id;
        for (_, cells) in &objects {
            out.object(kind, cells).map_err(at)?;
            progress.step();
            count += 1;
        }
    }
    keep(out.finish().map_err(at)?, &path).map_err(at)?;
    Ok(count)
}

fn keep(out: BufWriter<NamedTempFile>, path: &Path) -> io::Result<()> {
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    // Temporary files are private; an export is as readable as any other file.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode)?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// An object's id, and its cells in the order of its kind's columns.
type Object = (i64, Vec<Value>);

fn companies_after(conn: &mut DbConnection, id: i64) -> QueryResult<Vec<Object>> {
    let rows: Vec<Company> = Company::all()
        .filter(companies::id.gt(id))
        .order(companies::id)
        .limit(CHUNK)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.id,
                vec![
                    row.id.into(),
                    row.name.into(),
                    row.founded_year.into(),
                    time(Some(row.created_at)),
                ],
            )
        })
        .collect())
}

fn skills_after(conn: &mut DbConnection, id: i64) -> QueryResult<Vec<Object>> {
    let rows: Vec<Skill> = Skill::all()
        .filter(skills::id.gt(id))
        .order(skills::id)
        .limit(CHUNK)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.id,
                vec![row.id.into(), row.name.into(), row.category.into()],
            )
        })
        .collect())
}

fn developers_after(conn: &mut DbConnection, id: i64) -> QueryResult<Vec<Object>> {
    let rows: Vec<Developer> = Developer::all()
        .filter(developers::id.gt(id))
        .order(developers::id)
        .limit(CHUNK)
        .load(conn)?;
    let cells = |(row, skills): (Developer, Vec<Skill>)| {
        let skills: Vec<Value> = skills.into_iter().map(|skill| skill.name.into()).collect();
        let cells = vec![
            row.id.into(),
            row.name.into(),
            row.company.name.into(),
            row.years_experience.into(),
            time(row.last_login),
            time(Some(row.created_at)),
            skills.into(),
            Value::Null,
        ];
        (row.id, cells)
    };
    Ok(Developer::with_skills(conn, rows)?
        .into_iter()
        .map(cells)
        .collect())
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
                writer.write_record(kind.columns().iter().map(|column| column.name))?;
                Self::Csv(Box::new(writer))
            }
            Format::Json => {
                out.write_all(b"[")?;
                Self::Json { out, first: true }
            }
        })
    }

    fn object(&mut self, kind: Kind, cells: &[Value]) -> io::Result<()> {
        match self {
            Self::Csv(writer) => Ok(writer.write_record(cells.iter().map(csv_cell))?),
            Self::Json { out, first } => {
                out.write_all(if std::mem::take(first) { b"\n" } else { b",\n" })?;
                let names = kind.columns().iter().map(|column| column.name.to_owned());
                let object: Map<String, Value> = names.zip(cells.iter().cloned()).collect();
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
