//! A body in chunks (RFC 9112, section 7.1), as strictly as the grammar has it.

/// Bytes of a line at most: a chunk's size with its extensions, or a field of the trailers.
const LINE_MAX: usize = 4_096;
/// Bytes beside the data that any body may have.
const OVERHEAD: u64 = 16 * 1_024;
/// Bytes beside the data that there may be for each byte of data. A chunk of one byte needs five.
const OVERHEAD_OF_A_BYTE: u64 = 8;

/// How far a chunked body has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chunked {
    part: Part,
    /// Bytes of data, and bytes of everything else.
    data: u64,
    overhead: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// The line with the size of the next chunk.
    #[default]
    Size,
    /// So many bytes of data are still to come.
    Data(u64),
    /// The line break behind the data.
    DataEnd,
    /// Fields, and the empty line that ends the body.
    Trailers,
}

/// What the next bytes of a chunked body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// So many bytes of it.
    Some(usize),
    /// So many bytes, and the body ends with them.
    Last(usize),
    /// Too few to say.
    Incomplete,
    /// No chunks, or too little data for so much around it.
    Broken,
}

impl Chunked {
    /// Looks at what is to come of the body.
    pub fn next(&mut self, input: &[u8]) -> Piece {
        if let Part::Data(rest) = self.part {
            let length = usize::try_from(rest).unwrap_or(usize::MAX).min(input.len());
            if length == 0 {
                return Piece::Incomplete;
            }
            // A usize is no longer than 64 bits.
            self.data += length as u64;
            self.part = match rest - length as u64 {
                0 => Part::DataEnd,
                rest => Part::Data(rest),
            };
            return Piece::Some(length);
        }
        let within = &input[..input.len().min(LINE_MAX)];
        let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
            let is_over = within.len() == LINE_MAX || !may_begin(self.part, within);
            return if is_over {
                Piece::Broken
            } else {
                Piece::Incomplete
            };
        };
        self.overhead += end as u64 + 1;
        let line = within[..end].strip_suffix(b"\r");
        match line.and_then(|line| self.line(line)) {
            Some(is_last) if self.is_thrifty() => {
                if is_last {
                    Piece::Last(end + 1)
                } else {
                    Piece::Some(end + 1)
                }
            }
            _ => Piece::Broken,
        }
    }

    /// Reads a line and says whether it is the body's last one; `None` when it is not what belongs here.
    fn line(&mut self, line: &[u8]) -> Option<bool> {
        // Nor is a return that ends no line, for others could take it for the end of one.
        if line
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t')
        {
            return None;
        }
        self.part = match self.part {
            Part::Size => match size(line)? {
                0 => Part::Trailers,
                size => Part::Data(size),
            },
            Part::DataEnd if line.is_empty() => Part::Size,
            Part::Trailers if line.is_empty() => return Some(true),
            Part::Trailers => Part::Trailers,
            Part::DataEnd | Part::Data(_) => return None,
        };
        Some(false)
    }

    fn is_thrifty(&self) -> bool {
        self.overhead
            <= self
                .data
                .saturating_mul(OVERHEAD_OF_A_BYTE)
                .saturating_add(OVERHEAD)
    }
}

/// Whether a line of that part may begin so: nonsense is seen before its end has come.
fn may_begin(part: Part, start: &[u8]) -> bool {
    match (part, start.first()) {
        (_, None) | (Part::Trailers | Part::Data(_), _) => true,
        (Part::Size, Some(byte)) => byte.is_ascii_hexdigit(),
        (Part::DataEnd, Some(byte)) => *byte == b'\r',
    }
}

/// The size that a line tells, whatever extensions are behind it.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (digits, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    if !(rest.is_empty() || rest.starts_with(b";")) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    u64::from_str_radix(digits, 16).ok()
}
