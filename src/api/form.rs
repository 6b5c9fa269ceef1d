//! The fields of a body, checked as DRF's serializers check them: everything that is wrong is told in one answer.

use std::ops::RangeInclusive;

use diesel::QueryResult;
use serde_json::{Map, Value};

use crate::{
    auth::PasswordHash,
    db::{DbConnection, Stamp},
    error::FieldErrors,
    models::{Found, Referable, Reference},
    rules::{self, BLANK, NULL, REQUIRED},
};

/// Objects of one list at most.
const LIST_MAX: usize = 1_000;

/// The fields of one object that somebody wants to store. Each is taken once, by its name and rule, into the draft of a row;
/// whatever is left over at the end is unknown.
pub struct Form {
    fields: Map<String, Value>,
    /// Not a PATCH: what is not named takes its default.
    whole: bool,
    errors: FieldErrors,
    /// Of the password among the fields; see [`Body::hash_password`](super::Body::hash_password).
    pub hash: Option<PasswordHash>,
}

impl Form {
    /// The fields of what should be an object; what is none is refused as a whole.
    pub fn new(value: Value, whole: bool) -> Self {
        let mut form = Self {
            fields: Map::new(),
            whole,
            errors: FieldErrors::default(),
            hash: None,
        };
        match value {
            Value::Object(fields) => form.fields = fields,
            other => {
                // Nothing else is asked of it.
                form.whole = false;
                let message = format!(
                    "Invalid data. Expected a dictionary, but got {}.",
                    type_name(&other)
                );
                form.refuse("non_field_errors", &message);
            }
        }
        form
    }

    /// The text of a field, as the rules for texts would take it.
    pub fn text(&self, name: &str) -> Option<String> {
        let text = as_text(self.fields.get(name)?).ok()?;
        let text = rules::without_nul(text.trim()).ok()?;
        Some(text.to_owned())
    }

    /// Whether anything was said against a field.
    pub fn is_refused(&self, name: &str) -> bool {
        self.errors.contains(name)
    }

    /// A field that a whole object must have.
    pub fn required<T>(
        &mut self,
        name: &str,
        target: &mut T,
        rule: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        match self.fields.shift_remove(name) {
            Some(value) => self.take(name, &value, target, rule),
            None if self.whole => self.refuse(name, REQUIRED),
            None => {}
        }
    }

    /// A field that a whole object need not have, for it has a `default`.
    pub fn optional<T>(
        &mut self,
        name: &str,
        target: &mut T,
        default: T,
        rule: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        match self.fields.shift_remove(name) {
            Some(value) => self.take(name, &value, target, rule),
            None if self.whole => *target = default,
            None => {}
        }
    }

    /// An optional field that may be null, and is so by default.
    pub fn nullable<T>(
        &mut self,
        name: &str,
        target: &mut Option<T>,
        rule: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        if self.fields.get(name) == Some(&Value::Null) {
            self.fields.shift_remove(name);
            *target = None;
        } else {
            self.optional(name, target, None, |value| rule(value).map(Some));
        }
    }

    /// Fields that are not the client's to set: whatever they hold is passed over, so that an object can be sent back as it was
    /// read.
    pub fn read_only(&mut self, names: &[&str]) {
        for name in names {
            self.fields.shift_remove(*name);
        }
    }

    pub fn refuse(&mut self, name: &str, message: &str) {
        self.errors.add(name, message);
    }

    /// Everything that was wrong, unknown fields included.
    pub fn finish(mut self) -> FieldErrors {
        for name in self.fields.keys() {
            self.errors.add(name, "Unknown field.");
        }
        self.errors
    }

    /// What a field of these forms refers to, looked up for all of them at once.
    ///
    /// # Errors
    /// Those of the statements.
    pub fn found<M: Referable>(
        conn: &mut DbConnection,
        forms: &[Self],
        name: &str,
    ) -> QueryResult<Found<M>> {
        let references = forms.iter().flat_map(|form| form.referred::<M>(name));
        Found::load(conn, references)
    }

    /// What the field refers to; what is no reference is left for [`references`](Self::references) to refuse.
    fn referred<M: Referable>(&self, name: &str) -> Vec<Reference> {
        match self.fields.get(name) {
            Some(Value::Array(values)) => values
                .iter()
                .take(LIST_MAX)
                .filter_map(|value| reference::<M>(value).ok())
                .collect(),
            Some(value) => reference::<M>(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// A list of objects that a whole object need not have, as their ids, sorted and distinct. Everything that is wrong with it
    /// is told.
    pub fn references<M: Referable>(
        &mut self,
        name: &str,
        target: &mut Option<Vec<i64>>,
        found: &Found<M>,
    ) {
        let values = match self.fields.shift_remove(name) {
            Some(Value::Array(values)) => values,
            Some(Value::Null) => return self.refuse(name, NULL),
            Some(other) => {
                let message = format!(
                    "Expected a list of items but got type \"{}\".",
                    type_name(&other)
                );
                return self.refuse(name, &message);
            }
            None if self.whole => Vec::new(),
            None => return,
        };
        if values.len() > LIST_MAX {
            let message = format!("Ensure this field has no more than {LIST_MAX} elements.");
            return self.refuse(name, &message);
        }
        let mut ids = Vec::with_capacity(values.len());
        for value in &values {
            match reference::<M>(value).and_then(|reference| found.id(&reference)) {
                Ok(id) => ids.push(id),
                Err(message) => self.refuse(name, &message),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        *target = Some(ids);
    }

    fn take<T>(
        &mut self,
        name: &str,
        value: &Value,
        target: &mut T,
        rule: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        let result = match value {
            Value::Null => Err(NULL.to_owned()),
            value => rule(value),
        };
        match result {
            Ok(value) => *target = value,
            Err(message) => self.refuse(name, &message),
        }
    }
}

/// Python's name of the type, for DRF's messages have it.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

// The rules for JSON's values: those for texts, and what DRF takes for a text.

/// Text that must hold something, of `max` characters at most.
pub fn text(max: usize) -> impl Fn(&Value) -> Result<String, String> {
    move |value| rules::text(&as_text(value)?, max)
}

/// Text of any length, which may be blank.
///
/// # Errors
/// The message for what is no text.
pub fn optional_text(value: &Value) -> Result<String, String> {
    rules::optional_text(&as_text(value)?, usize::MAX)
}

/// Text, held to a rule of its own.
pub fn text_by(
    rule: impl Fn(&str) -> Result<String, String>,
) -> impl Fn(&Value) -> Result<String, String> {
    move |value| rule(&as_text(value)?)
}

/// A password: as it is, for its spaces may be meant.
///
/// # Errors
/// The message for what is no text, and for none.
pub fn password(value: &Value) -> Result<String, String> {
    let text = as_text(value)?;
    if text.is_empty() {
        return Err(BLANK.to_owned());
    }
    rules::without_nul(&text).map(ToOwned::to_owned)
}

/// A whole number within `range`: also as text, and with a fraction of zeros.
pub fn integer(range: RangeInclusive<i64>) -> impl Fn(&Value) -> Result<i32, String> {
    move |value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let whole = match text.split_once('.') {
            Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
            _ => &text,
        };
        rules::integer(whole, &range).map(|number| i32::try_from(number).unwrap_or(i32::MAX))
    }
}

/// True or false: also as text, and as 1 and 0.
///
/// # Errors
/// The message for anything else.
pub fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(choice) => Ok(*choice),
        Value::Number(number) if number.as_i64() == Some(1) => Ok(true),
        Value::Number(number) if number.as_i64() == Some(0) => Ok(false),
        Value::String(text) => rules::boolean(text),
        _ => rules::boolean(""),
    }
}

/// # Errors
/// The message for what is no time.
pub fn stamp(value: &Value) -> Result<Stamp, String> {
    rules::stamp(value.as_str().unwrap_or_default())
}

/// The id of the object that is referred to.
pub fn reference_to<M: Referable>(found: &Found<M>) -> impl Fn(&Value) -> Result<i64, String> {
    |value| found.id(&reference::<M>(value)?)
}

/// An id, a natural name, or an object that has one of them, as it is read.
fn reference<M: Referable>(value: &Value) -> Result<Reference, String> {
    let named = |name: &str| {
        let name = rules::without_nul(name.trim())?;
        Ok(Reference::Name(name.to_owned()))
    };
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            Ok(Reference::Id(number.as_i64().unwrap_or(i64::MAX)))
        }
        Value::String(name) => named(name),
        Value::Object(fields) => match (fields.get("id"), fields.get(M::KEY)) {
            (Some(id @ Value::Number(_)), _) => reference::<M>(id),
            (_, Some(Value::String(name))) => named(name),
            _ => Err(format!("An object here has \"id\" or \"{}\".", M::KEY)),
        },
        other => Err(format!(
            "Incorrect type. Expected pk value, received {}.",
            type_name(other)
        )),
    }
}

/// As DRF's `CharField`, a number is taken for its text.
fn as_text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("Not a valid string.".to_owned()),
    }
}
