//! Reading CSV and JSON into records of the same shape.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
    rc::Rc,
    sync::Arc,
};

use csv::{ByteRecord, ReaderBuilder};
use serde_json::value::RawValue;

use super::{Undone, report::Report};
use crate::{
    files::{Column, Kind},
    json::{Fault, Json},
    models::Skill,
};

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Csv,
    Json,
}

/// A file to import.
pub struct Source {
    pub kind: Kind,
    /// As the messages call it.
    pub name: String,
    /// Bytes.
    pub length: u64,
    form: Form,
    input: Box<dyn Read + Send>,
}

/// One object of a file: the columns that the file has, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub line: u64,
    pub fields: BTreeMap<String, Json>,
}

impl Source {
    pub fn open(kind: Kind, form: Form, path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let input = Box::new(BufReader::with_capacity(1 << 16, file));
        Ok(Self {
            kind,
            name: path.display().to_string(),
            length,
            form,
            input,
        })
    }

    /// Reads the file into memory, for it and for the copy that is returned.
    pub fn read_ahead(&mut self) -> io::Result<Self> {
        let mut bytes = Vec::new();
        self.input.read_to_end(&mut bytes)?;
        let bytes: Arc<[u8]> = bytes.into();
        self.input = Box::new(io::Cursor::new(Arc::clone(&bytes)));
        Ok(Self {
            kind: self.kind,
            name: self.name.clone(),
            length: self.length,
            form: self.form,
            input: Box::new(io::Cursor::new(bytes)),
        })
    }

    /// A CSV file that the binary carries.
    pub fn embedded(kind: Kind, text: String) -> Self {
        Self {
            kind,
            name: format!("{}.csv", kind.stem),
            length: text.len() as u64,
            form: Form::Csv,
            input: Box::new(io::Cursor::new(text)),
        }
    }

    /// Calls `visit` for each record that can be read; what cannot goes to the report.
    pub fn each(
        self,
        report: &mut Report,
        visit: impl FnMut(Record, &mut Report) -> Result<(), Undone>,
    ) -> Result<(), Undone> {
        match self.form {
            Form::Csv => each_of_csv(self, report, visit),
            Form::Json => each_of_json(self, report, visit),
        }
    }
}

fn each_of_csv(
    source: Source,
    report: &mut Report,
    mut visit: impl FnMut(Record, &mut Report) -> Result<(), Undone>,
) -> Result<(), Undone> {
    let (name, columns) = (source.name.as_str(), source.kind.columns);
    let starts = Starts::default();
    let input = LineStarts::new(source.input, Rc::clone(&starts));
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(input);
    let header = match reader.byte_headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            report.add(name, 1, "", &error.to_string());
            return Ok(());
        }
    };
    let Some(places) = places(name, columns, &header, report) else {
        return Ok(());
    };
    let mut bytes = ByteRecord::new();
    loop {
        let place = reader.position().byte();
        let read = reader.read_byte_record(&mut bytes);
        let line = line_at(&starts, place);
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                report.add(name, line, "", &error.to_string());
                return Ok(());
            }
        }
        if bytes.len() != header.len() {
            let message = format!(
                "{} fields where the header has {}.",
                bytes.len(),
                header.len()
            );
            report.add(name, line, "", &message);
        } else if let Some(fields) = fields(name, line, columns, &places, &bytes, report) {
            visit(Record { line, fields }, report)?;
        }
    }
}

/// Where in a CSV record each column stands; `None` when the header is wrong.
fn places(
    name: &str,
    columns: &[Column],
    header: &ByteRecord,
    report: &mut Report,
) -> Option<Vec<Option<usize>>> {
    let mut places = vec![None; columns.len()];
    let mut fits = true;
    let mut refuse = |column: &str, message: &str| {
        report.add(name, 1, column, message);
        fits = false;
    };
    for (place, title) in header.iter().enumerate() {
        let title = String::from_utf8_lossy(title);
        match columns.iter().position(|column| column.name == title) {
            None => refuse(&title, "Unknown column."),
            Some(column) if places[column].is_some() => {
                refuse(&title, "This column stands there twice.");
            }
            Some(column) => places[column] = Some(place),
        }
    }
    for (column, place) in columns.iter().zip(&places) {
        if column.needed && place.is_none() {
            refuse(column.name, "This column is required.");
        }
    }
    fits.then_some(places)
}

fn fields(
    name: &str,
    line: u64,
    columns: &[Column],
    places: &[Option<usize>],
    bytes: &ByteRecord,
    report: &mut Report,
) -> Option<BTreeMap<String, Json>> {
    let mut fields = BTreeMap::new();
    let mut readable = true;
    for (column, place) in columns.iter().zip(places) {
        let Some(bytes) = place.and_then(|place| bytes.get(place)) else {
            continue;
        };
        if let Ok(text) = str::from_utf8(bytes) {
            fields.insert(column.name.to_owned(), value(*column, text));
        } else {
            report.add(name, line, column.name, "Not valid UTF-8.");
            readable = false;
        }
    }
    readable.then_some(fields)
}

/// The value of a CSV cell. An empty one asks for the default, where there is one.
fn value(column: Column, text: &str) -> Json {
    if text.is_empty() && !column.needed {
        Json::Null
    } else if column.list {
        let parts = text.split(Skill::SEPARATOR).map(str::trim);
        Json::List(parts.map(|part| Json::Text(part.to_owned())).collect())
    } else {
        Json::Text(text.to_owned())
    }
}

/// The offset and number of each line that is not blank, as far as the reader has come.
type Starts = Rc<RefCell<VecDeque<(u64, u64)>>>;

/// Notes where lines start. The CSV reader's own count stands before the line feed of a CRLF and before blank lines.
struct LineStarts<R> {
    input: R,
    starts: Starts,
    offset: u64,
    line: u64,
    blank: bool,
}

impl<R> LineStarts<R> {
    fn new(input: R, starts: Starts) -> Self {
        Self {
            input,
            starts,
            offset: 0,
            line: 1,
            blank: true,
        }
    }
}

impl<R: Read> Read for LineStarts<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        for byte in &buffer[..length] {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.blank = true;
                }
                b'\r' => {}
                _ if self.blank => {
                    self.starts.borrow_mut().push_back((self.offset, self.line));
                    self.blank = false;
                }
                _ => {}
            }
            self.offset += 1;
        }
        Ok(length)
    }
}

/// The first line with anything in it from `place` on, which may be a line feed.
fn line_at(starts: &Starts, place: u64) -> u64 {
    let mut starts = starts.borrow_mut();
    while starts.front().is_some_and(|(offset, _)| *offset < place) {
        starts.pop_front();
    }
    starts.front().map_or(1, |(_, line)| *line)
}

fn each_of_json(
    mut source: Source,
    report: &mut Report,
    mut visit: impl FnMut(Record, &mut Report) -> Result<(), Undone>,
) -> Result<(), Undone> {
    let (name, columns) = (source.name.as_str(), source.kind.columns);
    let mut bytes = Vec::new();
    if let Err(error) = source.input.read_to_end(&mut bytes) {
        report.add(name, 1, "", &error.to_string());
        return Ok(());
    }
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => {
            report.add(
                name,
                1 + newlines(&bytes[..error.valid_up_to()]),
                "",
                "Not valid UTF-8.",
            );
            return Ok(());
        }
    };
    let objects: Vec<&RawValue> = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(objects) => objects,
        Err(error) => {
            report.add(
                name,
                error.line() as u64,
                "",
                &format!("Not an array of objects: {error}"),
            );
            return Ok(());
        }
    };
    let (mut line, mut counted) = (1, 0);
    for object in objects {
        // The raw values borrow from the text, so their addresses tell their places.
        let place = object.get().as_ptr() as usize - text.as_ptr() as usize;
        line += newlines(&bytes[counted..place]);
        counted = place;
        match Json::parse(object.get().as_bytes()) {
            Ok(Json::Object(fields)) => {
                let unknown = |key: &&String| columns.iter().all(|column| column.name != **key);
                let mut unknown = fields.keys().filter(unknown).peekable();
                if unknown.peek().is_none() {
                    visit(Record { line, fields }, report)?;
                } else {
                    unknown.for_each(|key| report.add(name, line, key, "Unknown column."));
                }
            }
            Err(Fault::Unparsable(reason)) => report.add(name, line, "", &reason),
            Ok(_) | Err(Fault::TooManyItems) => report.add(name, line, "", "Not an object."),
        }
    }
    Ok(())
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').skip(1).count() as u64
}
