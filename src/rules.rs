//! Rules for single values from outside, with the messages of DRF's fields. Bodies, filters and import files use them.

use std::ops::RangeInclusive;

use crate::{db::Stamp, text::trim};

pub const REQUIRED: &str = "This field is required.";
pub const BLANK: &str = "This field may not be blank.";
pub const NULL: &str = "This field may not be null.";

/// The accepted spellings of true and false, as in DRF.
pub const TRUE: [&str; 3] = ["true", "True", "TRUE"];
pub const FALSE: [&str; 3] = ["false", "False", "FALSE"];

/// The greatest id that a file may give: the last whole number that every client reads exactly out of JSON. The numbers behind
/// it are left for ids of the database's own.
pub const ID_MAX: i64 = (1 << 53) - 1;

/// DRF's message for a value that must be unique and is taken.
pub fn taken(object: &str, field: &str) -> String {
    format!("{object} with this {field} already exists.")
}

/// Trims `text` and limits it to `max` characters, as DRF's `CharField`.
///
/// # Errors
/// The message for blank text, a NUL, and too many characters.
pub fn text(text: &str, max: usize) -> Result<String, String> {
    let text = optional_text(text, max)?;
    if text.is_empty() {
        return Err(BLANK.to_owned());
    }
    Ok(text)
}

/// As [`text`], for a text that may be blank.
///
/// # Errors
/// The message for a NUL, and for too many characters.
pub fn optional_text(text: &str, max: usize) -> Result<String, String> {
    let text = within(trim(text), max)?;
    without_nul(text).map(ToOwned::to_owned)
}

/// Holds `text` to `max` characters, before anything is done with it whose cost grows with its length.
///
/// # Errors
/// The message for too many characters.
pub fn within(text: &str, max: usize) -> Result<&str, String> {
    if text.len() > max && text.chars().count() > max {
        Err(format!(
            "Ensure this field has no more than {max} characters."
        ))
    } else {
        Ok(text)
    }
}

/// Refuses NUL characters, which PostgreSQL cannot store. The message is Django's.
///
/// # Errors
/// The message for text with a NUL.
pub fn without_nul(text: &str) -> Result<&str, String> {
    if text.contains('\0') {
        Err("Null characters are not allowed.".to_owned())
    } else {
        Ok(text)
    }
}

/// Reads a whole number within `range`, as DRF's `IntegerField`.
///
/// # Errors
/// The message for text that is not a whole number, or is out of range.
pub fn integer(text: &str, range: &RangeInclusive<i64>) -> Result<i64, String> {
    let number = at_least(text, *range.start())?;
    i64::try_from(number)
        .ok()
        .filter(|number| number <= range.end())
        .ok_or_else(|| {
            format!(
                "Ensure this value is less than or equal to {}.",
                range.end()
            )
        })
}

/// Reads a whole number that is at least `min`.
///
/// # Errors
/// The message for text that is not a whole number, or is less.
pub fn at_least(text: &str, min: i64) -> Result<i128, String> {
    let text = trim(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("A valid integer is required.".to_owned());
    }
    // A number that does not fit is as good as the nearest one that does.
    let number = text.parse().unwrap_or(if text.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    });
    if number < i128::from(min) {
        return Err(format!(
            "Ensure this value is greater than or equal to {min}."
        ));
    }
    Ok(number)
}

/// Reads `true` or `false` in every spelling that DRF's `BooleanField` accepts.
///
/// # Errors
/// The message for anything else.
pub fn boolean(text: &str) -> Result<bool, String> {
    if TRUE.contains(&text) {
        Ok(true)
    } else if FALSE.contains(&text) {
        Ok(false)
    } else {
        Err("Must be a valid boolean.".to_owned())
    }
}

/// Reads a time; see [`Stamp::parse`].
///
/// # Errors
/// The message of DRF's `DateTimeField`.
pub fn stamp(text: &str) -> Result<Stamp, String> {
    Stamp::parse(trim(text)).ok_or_else(|| {
        "Datetime has wrong format. Use one of these formats instead: \
         YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
            .to_owned()
    })
}

/// Reads a time, or a date as its first moment.
///
/// # Errors
/// As [`stamp`].
pub fn stamp_or_date(text: &str) -> Result<Stamp, String> {
    Stamp::parse_date(trim(text)).map_or_else(|| stamp(text), Ok)
}
