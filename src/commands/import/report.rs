/// Errors shown before only their number counts.
const SHOWN: usize = 20;

/// What is wrong with the files, a line each: `file:line: column: message`.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<String>,
    total: usize,
}

impl Report {
    /// `column` is empty where the line as a whole is wrong.
    pub fn add(&mut self, file: &str, line: u64, column: &str, message: &str) {
        self.total += 1;
        if self.lines.len() < SHOWN {
            let separator = if column.is_empty() { "" } else { ": " };
            self.lines
                .push(format!("{file}:{line}: {column}{separator}{message}"));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub fn into_lines(self) -> Vec<String> {
        let mut lines = self.lines;
        let hidden = self.total - lines.len();
        if hidden > 0 {
            lines.push(format!("and {hidden} more"));
        }
        let errors = if self.total == 1 { "error" } else { "errors" };
        lines.push(format!("{} {errors}: nothing was imported", self.total));
        lines
    }
}
