//! JSON from outside: held to bounds before anything is made of it, and with its numbers as they were sent.

use std::{collections::BTreeMap, fmt};

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, value::RawValue};

/// Elements of the outermost array at most: the objects of one request.
pub const ITEMS_MAX: usize = 10_000;
/// Elements of all other arrays together at most: the links of one request.
pub const ELEMENTS_MAX: usize = 50_000;
/// Members of one object at most.
const MEMBERS_MAX: usize = 100;
/// Values altogether at most: what is made of one takes some forty bytes.
const VALUES_MAX: usize = 300_000;
/// Arrays and objects inside one another at most.
const DEPTH_MAX: usize = 16;

/// A value, its numbers as texts: integers of any size keep all their digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Self>),
    /// Of members of one name the last.
    Object(BTreeMap<String, Self>),
}

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is no JSON, or goes beyond a bound; the text names the place.
    Unparsable(String),
    /// There are more items than one request may have.
    TooManyItems,
}

impl Json {
    /// Reads a text in one pass that holds it to the bounds and stores nothing, and in a second one that makes the value.
    ///
    /// # Errors
    /// For what is no JSON, and for the first bound that is broken; the rest of the text is not looked at then.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        let mut counts = Counts::default();
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let checked = Check {
            counts: &mut counts,
            depth: 0,
        }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
        if counts.items > ITEMS_MAX {
            return Err(Fault::TooManyItems);
        }
        checked
            .and_then(|()| serde_json::from_slice(text))
            .map_err(|error| Fault::Unparsable(error.to_string()))
    }

    /// An object without members.
    pub fn empty() -> Self {
        Self::Object(BTreeMap::new())
    }

    /// Whether it is a number with a fraction or an exponent.
    fn is_float(number: &str) -> bool {
        number.contains(['.', 'e', 'E'])
    }

    /// As DRF's `CharField`, a number is taken for its text; but not an integer beyond 64 bits, which hardly anybody means so.
    ///
    /// # Errors
    /// The message for what is no text.
    pub fn to_text(&self) -> Result<String, String> {
        let text = match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) if Self::is_float(number) => plain(number),
            Self::Number(number) => (number.parse::<i64>().is_ok()
                || number.parse::<u64>().is_ok())
            .then(|| number.clone()),
            _ => None,
        };
        text.ok_or_else(|| "Not a valid string.".to_owned())
    }

    /// The digits of a number, or a text that may have some. A number with an exponent is written out.
    pub fn digits(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) if number.contains(['e', 'E']) => {
                plain(number).unwrap_or_default()
            }
            Self::Number(number) => number.clone(),
            _ => String::new(),
        }
    }

    /// Python's name of the type, for DRF's messages have it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Number(number) if Self::is_float(number) => "float",
            Self::Number(_) => "int",
            Self::Text(_) => "str",
            Self::List(_) => "list",
            Self::Object(_) => "dict",
        }
    }
}

/// As a floating-point number is written by itself.
fn plain(number: &str) -> Option<String> {
    let number = Number::from_f64(number.parse().ok()?)?;
    Some(number.to_string())
}

/// Each level is read anew from the text of the one around it; the bounds keep the levels few.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let value = match text.as_bytes().first() {
            Some(b'n') => Ok(Self::Null),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'"') => serde_json::from_str(text).map(Self::Text),
            Some(b'[') => serde_json::from_str(text).map(Self::List),
            Some(b'{') => serde_json::from_str(text).map(Self::Object),
            _ => Ok(Self::Number(text.to_owned())),
        };
        value.map_err(de::Error::custom)
    }
}

/// What there has been of a text.
#[derive(Default)]
struct Counts {
    items: usize,
    elements: usize,
    values: usize,
}

/// Reads a value and stores nothing.
struct Check<'a> {
    counts: &'a mut Counts,
    depth: usize,
}

impl Check<'_> {
    fn inner(&mut self) -> Check<'_> {
        Check {
            counts: self.counts,
            depth: self.depth + 1,
        }
    }

    /// Counts what is in an array or object, before it is read.
    fn count<E: de::Error>(&mut self) -> Result<(), E> {
        self.counts.values += 1;
        bounded(self.counts.values, VALUES_MAX, "values")
    }

    fn enter<E: de::Error>(&self) -> Result<(), E> {
        bounded(self.depth + 1, DEPTH_MAX, "levels of arrays and objects")
    }
}

fn bounded<E: de::Error>(count: usize, max: usize, what: &str) -> Result<(), E> {
    if count > max {
        Err(E::custom(format_args!("more than {max} {what}")))
    } else {
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        self.enter()?;
        while let Some(()) = list.next_element_seed(self.inner())? {
            self.count()?;
            if self.depth == 0 {
                self.counts.items += 1;
                bounded(self.counts.items, ITEMS_MAX, "items")?;
            } else {
                self.counts.elements += 1;
                bounded(
                    self.counts.elements,
                    ELEMENTS_MAX,
                    "elements in the lists of one request",
                )?;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        self.enter()?;
        let mut members = 0;
        while let Some(_name) = object.next_key::<de::IgnoredAny>()? {
            members += 1;
            bounded(members, MEMBERS_MAX, "fields of one object")?;
            self.count()?;
            object.next_value_seed(self.inner())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        match Json::parse(text.as_bytes()) {
            Err(Fault::Unparsable(reason)) => reason,
            other => panic!("{text:.100}: {other:?}"),
        }
    }

    /// So many members of an object, each with its comma.
    fn members(number: usize) -> String {
        let names: Vec<String> = (0..number).map(|name| format!("\"{name}\":0,")).collect();
        names.concat()
    }

    #[test]
    fn reads_every_kind_of_value() {
        let text = r#" {"a": [null, true, false, -0, 1.50, 12345678901234567890123, "\u00e9\n"], "b": {}, "a2": 1, "b": []} "#;
        let number = |text: &str| Json::Number(text.to_owned());
        let list = vec![
            Json::Null,
            Json::Bool(true),
            Json::Bool(false),
            number("-0"),
            number("1.50"),
            number("12345678901234567890123"),
            Json::Text("é\n".to_owned()),
        ];
        let members = [
            ("a", Json::List(list)),
            ("b", Json::List(Vec::new())),
            ("a2", number("1")),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(
            Json::parse(text.as_bytes()),
            Ok(Json::Object(members.into()))
        );
    }

    #[test]
    fn names_the_place_of_what_is_no_json() {
        assert_eq!(fault("[1,\n 2,]"), "trailing comma at line 2 column 4");
        assert_eq!(fault("{} x"), "trailing characters at line 1 column 4");
        assert_eq!(
            fault(r#"{"a": "\ud800"}"#),
            "unexpected end of hex escape at line 1 column 14"
        );
        assert_eq!(fault("1e999"), "number out of range at line 1 column 5");
        assert!(Json::parse(b"\"\xff\"").is_err());
        assert!(Json::parse(b"").is_err());
    }

    #[test]
    fn stops_at_the_first_bound_that_is_broken() {
        let items = |count: usize| format!("[{}", "0,".repeat(count));
        // What comes behind is not looked at: it is not even JSON.
        assert_eq!(
            Json::parse(items(ITEMS_MAX + 1).as_bytes()),
            Err(Fault::TooManyItems)
        );
        let whole = format!("[{}0]", "0,".repeat(ITEMS_MAX - 1));
        assert!(Json::parse(whole.as_bytes()).is_ok());
        let links = format!("[[{}", "0,".repeat(ELEMENTS_MAX + 1));
        assert!(
            fault(&links).starts_with(
                "more than 50000 elements in the lists of one request at line 1 column "
            )
        );
        let too_many = members(MEMBERS_MAX + 1);
        assert!(
            fault(&format!("{{{too_many}")).starts_with("more than 100 fields of one object at ")
        );
        let values = format!("[{}", "{\"a\":0,\"b\":0,\"c\":0},".repeat(ITEMS_MAX - 1));
        assert!(fault(&values).starts_with("EOF while parsing"));
        let object = format!("{{{}\"a\":0}},", members(40));
        let values = format!("[{}", object.repeat(ITEMS_MAX - 1));
        assert!(fault(&values).starts_with("more than 300000 values at "));
        assert!(
            fault(&"[".repeat(1 << 20))
                .starts_with("more than 16 levels of arrays and objects at ")
        );
        assert!(
            fault(&"{\"a\":".repeat(1 << 20))
                .starts_with("more than 16 levels of arrays and objects at ")
        );
    }
}
