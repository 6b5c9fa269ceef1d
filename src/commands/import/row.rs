use super::{
    report::Report,
    source::{Cell, Record},
};
use crate::{
    files::Kind,
    rules::{self, REQUIRED},
};

/// A record with its place, whose values are read by the rules; what does not fit goes to the report.
pub struct Row<'a> {
    file: &'a str,
    kind: Kind,
    record: Record,
    report: &'a mut Report,
    refused: bool,
}

/// The value of a column that need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given<T> {
    /// The file says nothing of it: what is stored stays.
    Absent,
    Empty,
    Value(T),
}

impl<T> Given<T> {
    /// What is to be stored: `old` when the file says nothing, `none` when it says that there is none.
    pub fn or(self, old: T, none: T) -> T {
        match self {
            Self::Absent => old,
            Self::Empty => none,
            Self::Value(value) => value,
        }
    }

    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Empty => None,
        }
    }
}

impl<'a> Row<'a> {
    pub fn new(file: &'a str, kind: Kind, record: Record, report: &'a mut Report) -> Self {
        Self {
            file,
            kind,
            record,
            report,
            refused: false,
        }
    }

    /// Whether anything was said against this row.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    pub fn line(&self) -> u64 {
        self.record.line
    }

    pub fn refuse(&mut self, column: &str, message: &str) {
        self.refused = true;
        self.report
            .add(self.file, self.record.line, column, message);
    }

    /// Whether the column holds anything.
    pub fn has(&self, column: &str) -> bool {
        match self.cell(column) {
            Some(Cell::Text(text)) => !text.is_empty(),
            Some(Cell::List(_)) => true,
            None => false,
        }
    }

    pub fn required<T>(
        &mut self,
        column: &str,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let result = match self.cell(column) {
            Some(Cell::Text(text)) => rule(text),
            Some(Cell::List(_)) => Err("Not a valid string.".to_owned()),
            None => Err(REQUIRED.to_owned()),
        };
        result.map_err(|message| self.refuse(column, &message)).ok()
    }

    pub fn optional<T>(
        &mut self,
        column: &str,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Given<T> {
        match self.cell(column) {
            None => Given::Absent,
            Some(Cell::Text(text)) if text.is_empty() => Given::Empty,
            Some(_) => self
                .required(column, rule)
                .map_or(Given::Absent, Given::Value),
        }
    }

    pub fn id(&mut self) -> Option<i64> {
        self.optional("id", |text| rules::integer(text, &(1..=rules::ID_MAX)))
            .value()
    }

    /// A list: in CSV the texts between the separators.
    pub fn list(&self, column: &str, separator: char) -> Given<Vec<String>> {
        match self.cell(column) {
            None => Given::Absent,
            Some(Cell::Text(text)) if text.is_empty() => Given::Empty,
            Some(Cell::Text(text)) => Given::Value(
                text.split(separator)
                    .map(|part| part.trim().to_owned())
                    .collect(),
            ),
            Some(Cell::List(texts)) => Given::Value(texts.clone()),
        }
    }

    fn cell(&self, column: &str) -> Option<&Cell> {
        let place = self
            .kind
            .columns()
            .iter()
            .position(|known| known.name == column)?;
        self.record.cells.get(place)?.as_ref()
    }
}
