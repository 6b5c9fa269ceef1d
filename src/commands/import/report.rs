use crate::{error::FieldErrors, files::Column};

/// Errors shown before only their number counts.
const SHOWN: usize = 20;

/// What is wrong with the files, a line each: `file:line: column: message`.
#[derive(Debug, Default)]
pub struct Report {
    /// The first ones by file and line, each with both: rows are judged some at a time.
    lines: Vec<(usize, u64, String)>,
    /// The files so far.
    files: Vec<String>,
    total: usize,
}

impl Report {
    /// `column` is empty where the line as a whole is wrong.
    pub fn add(&mut self, file: &str, line: u64, column: &str, message: &str) {
        self.total += 1;
        let separator = if column.is_empty() { "" } else { ": " };
        let text = format!("{file}:{line}: {column}{separator}{message}");
        let known = self.files.iter().position(|known| known == file);
        let place = known.unwrap_or_else(|| {
            self.files.push(file.to_owned());
            self.files.len() - 1
        });
        self.lines.push((place, line, text));
        self.lines.sort_by_key(|(place, line, _)| (*place, *line));
        self.lines.truncate(SHOWN);
    }

    /// Adds all that is wrong with a row, in the order of the columns.
    pub fn add_all(&mut self, file: &str, line: u64, columns: &[Column], errors: &FieldErrors) {
        let place = |field: &str| columns.iter().position(|column| column.name == field);
        let mut errors: Vec<_> = errors.iter().collect();
        errors.sort_by_key(|(field, _)| place(field));
        for (field, messages) in errors {
            let column = if field == "non_field_errors" {
                ""
            } else {
                field
            };
            for message in messages {
                self.add(file, line, column, message);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub fn into_lines(self) -> Vec<String> {
        let mut lines: Vec<String> = self.lines.into_iter().map(|(_, _, text)| text).collect();
        let hidden = self.total - lines.len();
        if hidden > 0 {
            lines.push(format!("and {hidden} more"));
        }
        let errors = if self.total == 1 { "error" } else { "errors" };
        lines.push(format!("{} {errors}: nothing was imported", self.total));
        lines
    }
}
