//! The rules for JSON's values: those for texts, and what DRF takes for a text. Each is the reader of a field and, as a JSON
//! Schema, its description. The description names the one type that a client should send, so that generated clients are
//! plain; the reader takes more, as DRF does.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::{
    auth::{PasswordHash, password},
    db::Stamp,
    json::Json,
    models::{self, Found, Referable, Reference},
    rules::{self, BLANK},
    text::trim,
};

/// What a field may hold.
pub trait Rule: Sized {
    /// What is made of it.
    type Value;

    /// # Errors
    /// The message for what does not fit.
    fn read(self, value: &Json) -> Result<Self::Value, String>;

    /// The JSON Schema of the type that a client should send.
    fn schema(&self) -> Value;
}

/// Text, held to a rule of its own.
struct Text<F> {
    check: F,
    max: usize,
    may_be_blank: bool,
}

/// Text that must hold something, of `max` characters at most once it is trimmed.
pub fn text(max: usize) -> impl Rule<Value = String> {
    text_by(max, move |text| rules::text(text, max))
}

/// Such a text, held to a rule of its own.
pub fn text_by(
    max: usize,
    check: impl Fn(&str) -> Result<String, String>,
) -> impl Rule<Value = String> {
    Text {
        check,
        max,
        may_be_blank: false,
    }
}

/// Text that may be blank, of `max` characters at most once it is trimmed.
pub fn optional_text(max: usize) -> impl Rule<Value = String> {
    optional_text_by(max, move |text| rules::optional_text(text, max))
}

/// Text that may be blank, held to a rule of its own.
pub fn optional_text_by(
    max: usize,
    check: impl Fn(&str) -> Result<String, String>,
) -> impl Rule<Value = String> {
    Text {
        check,
        max,
        may_be_blank: true,
    }
}

impl<F: Fn(&str) -> Result<String, String>> Rule for Text<F> {
    type Value = String;

    fn read(self, value: &Json) -> Result<String, String> {
        (self.check)(&value.to_text()?)
    }

    fn schema(&self) -> Value {
        let mut schema = json!({"type": "string"});
        if !self.may_be_blank {
            schema["minLength"] = 1.into();
        }
        if self.max < usize::MAX {
            schema["maxLength"] = self.max.into();
        }
        schema
    }
}

/// A password: as it is, for its spaces may be meant.
pub struct Password;

impl Rule for Password {
    type Value = String;

    fn read(self, value: &Json) -> Result<String, String> {
        let text = value.to_text()?;
        if text.is_empty() {
            return Err(BLANK.to_owned());
        }
        rules::within(&text, password::LENGTH_MAX)?;
        rules::without_nul(&text).map(ToOwned::to_owned)
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "format": "password", "minLength": 1, "maxLength": password::LENGTH_MAX, "writeOnly": true})
    }
}

/// The password of the user that the examples are about.
pub const PASSWORD_EXAMPLE: &str = "analytical engine";

/// A new password. The caller, who knows the user, [checks](password::check) it.
pub struct NewPassword;

impl Rule for NewPassword {
    type Value = String;

    fn read(self, value: &Json) -> Result<String, String> {
        Password.read(value)
    }

    fn schema(&self) -> Value {
        let mut schema = Password.schema();
        schema["minLength"] = password::LENGTH_MIN.into();
        schema["examples"] = json!([PASSWORD_EXAMPLE]);
        schema["description"] = format!(
            "At least {} characters, not digits alone, not like the user's name or address, and none of the common ones.",
            password::LENGTH_MIN
        )
        .into();
        schema
    }
}

struct Integer(RangeInclusive<i64>);

/// A whole number within `range`: also as text, and with a fraction of zeros.
pub fn integer(range: RangeInclusive<i64>) -> impl Rule<Value = i32> {
    Integer(range)
}

impl Rule for Integer {
    type Value = i32;

    fn read(self, value: &Json) -> Result<i32, String> {
        let text = value.digits();
        let whole = match text.split_once('.') {
            Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
            _ => &text,
        };
        rules::integer(whole, &self.0).map(|number| i32::try_from(number).unwrap_or(i32::MAX))
    }

    fn schema(&self) -> Value {
        json!({
            "type": "integer",
            "format": "int32",
            "minimum": self.0.start(),
            "maximum": self.0.end(),
        })
    }
}

struct Year(i64);

/// A year from `first` to the current one, which is not in the description: that is made once and stays.
pub fn year(first: i64) -> impl Rule<Value = i32> {
    Year(first)
}

impl Rule for Year {
    type Value = i32;

    fn read(self, value: &Json) -> Result<i32, String> {
        integer(self.0..=Stamp::now().year().into()).read(value)
    }

    fn schema(&self) -> Value {
        let mut schema = integer(self.0..=self.0).schema();
        if let Value::Object(schema) = &mut schema {
            schema.shift_remove("maximum");
            let about = "No later than the current year.";
            schema.insert("description".to_owned(), about.into());
        }
        schema
    }
}

/// True or false: also as text, and as 1 and 0.
pub struct Boolean;

impl Rule for Boolean {
    type Value = bool;

    fn read(self, value: &Json) -> Result<bool, String> {
        match value {
            Json::Bool(choice) => Ok(*choice),
            Json::Number(number) if number.parse() == Ok(1.0) => Ok(true),
            Json::Number(number) if number.parse() == Ok(0.0) => Ok(false),
            Json::Text(text) => rules::boolean(text),
            _ => rules::boolean(""),
        }
    }

    fn schema(&self) -> Value {
        json!({"type": "boolean"})
    }
}

/// A moment in any offset.
pub struct Moment;

impl Rule for Moment {
    type Value = Stamp;

    fn read(self, value: &Json) -> Result<Stamp, String> {
        match value {
            Json::Text(text) => rules::stamp(text),
            _ => rules::stamp(""),
        }
    }

    fn schema(&self) -> Value {
        json!({"type": "string", "format": "date-time"})
    }
}

struct ReferenceTo<'a, M>(&'a Found<M>);

/// The id of the object that is referred to.
pub fn reference_to<M: Referable>(found: &Found<M>) -> impl Rule<Value = i64> {
    ReferenceTo(found)
}

impl<M: Referable> Rule for ReferenceTo<'_, M> {
    type Value = i64;

    fn read(self, value: &Json) -> Result<i64, String> {
        self.0.id(&reference::<M>(value)?)
    }

    fn schema(&self) -> Value {
        reference_schema::<M>()
    }
}

/// An id, a natural name, or an object that has one of them, as it is read.
pub(super) fn reference<M: Referable>(value: &Json) -> Result<Reference, String> {
    let named = |name: &str| {
        let name = rules::without_nul(rules::within(trim(name), M::KEY_MAX)?)?;
        Ok(Reference::Name(name.to_owned()))
    };
    match value {
        Json::Number(number) if value.type_name() == "int" => number
            .parse()
            .map(Reference::Id)
            .map_err(|_| models::no_such_id(number)),
        Json::Text(name) => named(name),
        Json::Object(fields) => match (fields.get("id"), fields.get(M::KEY)) {
            (Some(id @ Json::Number(_)), _) => reference::<M>(id),
            (None | Some(Json::Null), Some(Json::Text(name))) => named(name),
            _ => Err(format!("An object here has \"id\" or \"{}\".", M::KEY)),
        },
        other => Err(format!(
            "Incorrect type. Expected pk value, received {}.",
            other.type_name()
        )),
    }
}

/// The schema of a [`reference`]. Generated clients call it by its title.
pub(super) fn reference_schema<M: Referable>() -> Value {
    let key = M::KEY;
    let id = json!({"type": "integer", "format": "int64"});
    let by_name = json!({key: {"type": "string"}});
    json!({
        "title": format!("{}Reference", M::NAME),
        "description": format!("By id, by {key} in any letter case, or as an object that has one of them."),
        "anyOf": [
            id,
            {"type": "string"},
            {"type": "object", "properties": {"id": id}, "required": ["id"]},
            {"type": "object", "properties": by_name, "required": [key]},
        ],
    })
}

/// The hash of a password, as a PHC string.
pub struct Hash;

impl Rule for Hash {
    type Value = PasswordHash;

    fn read(self, value: &Json) -> Result<PasswordHash, String> {
        PasswordHash::parse(&value.to_text()?)
    }

    fn schema(&self) -> Value {
        json!({"type": "string"})
    }
}
