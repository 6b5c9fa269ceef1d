//! What a list can be asked about: one declaration a field says its type, where it is, and what may be done with it.

use std::sync::Arc;

use serde_json::json;

use super::{
    How, Listed, Name, Named, Objects, Value,
    condition::{Column, Condition, Select, containing},
    named::padded,
};
use crate::{
    db::Stamp,
    openapi::{Operation, Place},
    rules,
    text::{fold, trim},
};

/// Characters of a filter's text at most: more than any field holds.
pub(super) const TEXT_MAX: usize = 1_000;
/// Values of one `__in` at most, and the characters of each: no field that is asked so holds more, and all of them fit into a URL.
const VALUES_MAX: usize = 200;
const VALUE_MAX: usize = 255;

/// A field of a model, or of what the model is related to.
pub struct Field<M: 'static> {
    pub name: &'static str,
    pub kind: Kind,
    column: fn() -> Column,
    /// The text with its letter case folded, for the lookups that ignore it.
    folded: Option<fn() -> Column>,
    /// Where the column belongs to other objects, how these are found.
    relation: Option<Relation>,
    /// What the column refers to, where a filter may name it instead.
    names: Option<&'static Objects>,
    filtered: bool,
    pub(super) nullable: bool,
    pub(super) sorted: Option<Getter<M>>,
}

/// How the many objects behind a relation are found, in SQL up to the condition on them.
#[derive(Clone, Copy)]
pub struct Relation {
    /// `EXISTS (SELECT …`: that this row has one.
    pub exists: &'static str,
    /// `SELECT …`: the rows that have one, by `column`.
    pub select: &'static str,
    pub column: fn() -> Column,
    /// Where a condition is on the objects themselves, and not on the links to them.
    pub linked: Option<Linked>,
}

/// How the objects of a [`Relation`] are found by themselves. They are found once and not once a row.
#[derive(Clone, Copy)]
pub struct Linked {
    /// `SELECT …`: their ids.
    pub select: &'static str,
    /// What a link calls its object.
    pub sought: fn() -> Column,
    /// The same as an expression, which no index answers: a row has few links, and the objects may be many.
    pub checked: fn() -> Column,
}

impl Relation {
    /// That one of the objects is so, as a row is checked for it.
    pub(super) fn has(self, condition: Condition) -> Condition {
        let checked = self.on(|linked| linked.checked, condition);
        Condition::Related(self.exists, Box::new(checked))
    }

    /// The condition on the objects, as one on the links to them.
    pub(super) fn on(
        self,
        column: fn(Linked) -> fn() -> Column,
        condition: Condition,
    ) -> Condition {
        match self.linked {
            Some(linked) => {
                let select = Select(linked.select, condition);
                Condition::Among(column(linked)(), vec![Arc::new(select)])
            }
            None => condition,
        }
    }
}

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Text,
    Time,
    Bool,
}

impl Kind {
    /// The JSON Schema of a value that is asked for.
    fn schema(self) -> serde_json::Value {
        match self {
            Self::Int => json!({"type": "integer", "format": "int64"}),
            Self::Text => text(),
            Self::Time => json!({"type": "string", "format": "date-time"}),
            Self::Bool => json!({"type": "boolean"}),
        }
    }

    /// The JSON Schema of one of several values between commas.
    fn item_schema(self) -> serde_json::Value {
        match self {
            Self::Text => {
                json!({"type": "string", "pattern": "^[^,\\u0000]*$", "maxLength": VALUE_MAX})
            }
            kind => kind.schema(),
        }
    }
}

/// What a name cannot consist of: NUL, and the blanks of Python, of which JavaScript's `\s` has fewer.
const BLANK: &str = r"\s\u0000\u001c-\u001f\u0085";

/// The JSON Schema of a name that is asked for, without these characters.
fn name_schema(without: &str) -> serde_json::Value {
    let rest = format!("[^{without}\\u0000]*");
    let pattern = format!("^{rest}[^{without}{BLANK}]{rest}$");
    json!({"type": "string", "pattern": pattern, "maxLength": VALUE_MAX})
}

/// The JSON Schema of a text that is asked for.
pub(super) fn text() -> serde_json::Value {
    json!({"type": "string", "pattern": "^[^\\u0000]*$", "maxLength": TEXT_MAX})
}

/// Reads from a row what it is ordered by.
pub(super) enum Getter<M: 'static> {
    Int(fn(&M) -> i64),
    Text(fn(&M) -> String),
    Time(fn(&M) -> Option<Stamp>),
}

/// How a filter compares. The names are Django's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    Exact,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Icontains,
    Istartswith,
    Isnull,
}

impl Lookup {
    pub const ALL: [Self; 9] = [
        Self::Exact,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::Icontains,
        Self::Istartswith,
        Self::Isnull,
    ];

    /// What it adds to the parameter's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::Gt => "__gt",
            Self::Gte => "__gte",
            Self::Lt => "__lt",
            Self::Lte => "__lte",
            Self::In => "__in",
            Self::Icontains => "__icontains",
            Self::Istartswith => "__istartswith",
            Self::Isnull => "__isnull",
        }
    }

    /// What it asks of a field, behind the field's name.
    const fn about(self) -> &'static str {
        match self {
            Self::Exact => "is this",
            Self::Gt => "is greater",
            Self::Gte => "is greater or equal",
            Self::Lt => "is less",
            Self::Lte => "is less or equal",
            Self::In => "is one of these",
            Self::Icontains => "has this in it, in any letter case",
            Self::Istartswith => "begins with this, in any letter case",
            Self::Isnull => "is missing, or is not",
        }
    }
}

impl<M: Listed> Field<M> {
    const fn new(name: &'static str, kind: Kind, column: fn() -> Column) -> Self {
        Self {
            name,
            kind,
            column,
            folded: None,
            relation: None,
            names: None,
            filtered: false,
            nullable: false,
            sorted: None,
        }
    }

    pub const fn int(name: &'static str, column: fn() -> Column) -> Self {
        Self::new(name, Kind::Int, column)
    }

    pub const fn text(name: &'static str, column: fn() -> Column) -> Self {
        Self::new(name, Kind::Text, column)
    }

    pub const fn time(name: &'static str, column: fn() -> Column) -> Self {
        Self::new(name, Kind::Time, column)
    }

    pub const fn boolean(name: &'static str, column: fn() -> Column) -> Self {
        Self::new(name, Kind::Bool, column)
    }

    /// Takes the lookups of its type.
    pub const fn filtered(mut self) -> Self {
        self.filtered = true;
        self
    }

    /// As [`filtered`](Self::filtered), for a text that is kept folded in another column too.
    pub const fn filtered_folded(mut self, column: fn() -> Column) -> Self {
        self.folded = Some(column);
        self.filtered()
    }

    /// Is an id of one of these objects, which a filter may name.
    pub const fn names(mut self, objects: &'static Objects) -> Self {
        self.names = Some(objects);
        self
    }

    /// Is a field of other objects.
    pub const fn of(mut self, relation: Relation) -> Self {
        self.relation = Some(relation);
        self
    }

    pub const fn sorted_int(mut self, value: fn(&M) -> i64) -> Self {
        self.sorted = Some(Getter::Int(value));
        self
    }

    pub const fn sorted_text(mut self, value: fn(&M) -> String) -> Self {
        self.sorted = Some(Getter::Text(value));
        self
    }

    /// Some rows have no value. In an order they come last in both directions.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    pub const fn sorted_time(mut self, value: fn(&M) -> Option<Stamp>) -> Self {
        self.sorted = Some(Getter::Time(value));
        self
    }

    pub(super) fn column(&self) -> Column {
        (self.column)()
    }

    pub fn is_sorted(&self) -> bool {
        self.sorted.is_some()
    }

    /// The lookups that this field takes as a filter.
    pub fn lookups(&self) -> impl Iterator<Item = Lookup> {
        let takes = |lookup: &Lookup| match lookup {
            Lookup::Exact | Lookup::Isnull => true,
            Lookup::Icontains | Lookup::Istartswith => self.folded.is_some(),
            Lookup::Gt | Lookup::Gte | Lookup::Lt | Lookup::Lte | Lookup::In => {
                self.kind != Kind::Bool
            }
        };
        Lookup::ALL
            .into_iter()
            .filter(move |lookup| self.filtered && takes(lookup))
    }

    /// The lookup that a parameter of this name is, if it is one of this field's.
    pub fn lookup(&self, parameter: &str) -> Option<Lookup> {
        let suffix = parameter.strip_prefix(self.name)?;
        self.lookups().find(|lookup| lookup.suffix() == suffix)
    }

    /// Describes a parameter for each lookup.
    pub fn describe(&self, operation: &mut Operation) {
        for lookup in self.lookups() {
            let name = format!("{}{}", self.name, lookup.suffix());
            let named = self.names.is_some() && matches!(lookup, Lookup::Exact | Lookup::In);
            let (schema, item, by) = if named {
                (name_schema(""), name_schema(","), ", by id or name")
            } else {
                (self.kind.schema(), self.kind.item_schema(), "")
            };
            let about = format!("`{}` {}{by}.", self.name, lookup.about());
            match lookup {
                Lookup::Isnull => {
                    operation.parameter(Place::Query, &name, &about, json!({"type": "boolean"}));
                }
                Lookup::In => {
                    let schema = json!({"type": "array", "items": item, "minItems": 1, "maxItems": VALUES_MAX});
                    operation.list_parameter(&name, &about, schema);
                }
                _ => operation.parameter(Place::Query, &name, &about, schema),
            }
        }
    }

    /// Reads a filter's value.
    ///
    /// # Errors
    /// The message for a value that does not fit.
    pub fn condition(&self, lookup: Lookup, text: &str) -> Result<Condition, String> {
        match (lookup, self.names) {
            (Lookup::Isnull, _) => return Ok(self.is_null(rules::boolean(text)?)),
            (Lookup::Exact, Some(objects)) => return self.named(objects, vec![text]),
            (Lookup::In, Some(objects)) => return self.named(objects, several(text)?),
            _ => {}
        }
        let condition = self.compare(lookup, text)?;
        Ok(match self.relation {
            Some(relation) => Condition::related(relation, condition),
            None => condition,
        })
    }

    /// The comparison by itself, wherever the column is.
    fn compare(&self, lookup: Lookup, text: &str) -> Result<Condition, String> {
        let compare = |operator| -> Result<Condition, String> {
            Ok(Condition::Compare(
                self.column(),
                operator,
                self.value(text)?,
            ))
        };
        Ok(match lookup {
            Lookup::Exact | Lookup::Isnull => compare(" = ")?,
            Lookup::Gt => compare(" > ")?,
            Lookup::Gte => compare(" >= ")?,
            Lookup::Lt => compare(" < ")?,
            Lookup::Lte => compare(" <= ")?,
            Lookup::In => Condition::In(self.column(), self.values(text)?),
            Lookup::Icontains => Condition::Contains(
                self.folded.unwrap_or(self.column)(),
                containing(&fold(checked(text, TEXT_MAX)?)),
            ),
            Lookup::Istartswith => Condition::starts_with(
                self.folded.unwrap_or(self.column),
                fold(checked(text, TEXT_MAX)?),
            ),
        })
    }

    /// Of a relation to many: whether there are none.
    fn is_null(&self, null: bool) -> Condition {
        let condition = match self.relation {
            Some(relation) => relation
                .has(Condition::Null(self.column()).negated())
                .negated(),
            None => Condition::Null(self.column()),
        };
        if null { condition } else { condition.negated() }
    }

    fn value(&self, text: &str) -> Result<Value, String> {
        match self.kind {
            Kind::Int => rules::integer(text, &(i64::MIN..=i64::MAX)).map(Value::Int),
            Kind::Text => checked(text, TEXT_MAX).map(|text| Value::Text(text.to_owned())),
            // As Django, a filter takes a bare date too: its beginning.
            Kind::Time => rules::stamp_or_date(text).map(Value::Time),
            Kind::Bool => rules::boolean(text).map(Value::Bool),
        }
    }

    /// The values between commas, distinct and in an order of their own, so that one statement serves many.
    fn values(&self, text: &str) -> Result<Vec<Value>, String> {
        let values = several(text)?.into_iter().map(|text| self.value(text));
        values.collect::<Result<_, _>>().map(padded)
    }

    /// The column is the id of one of the objects that `texts` name.
    fn named(&self, objects: &'static Objects, texts: Vec<&str>) -> Result<Condition, String> {
        let names = texts.into_iter().map(|text| {
            if trim(text).is_empty() {
                return Err("This field may not be blank.".to_owned());
            }
            Name::read_or_id(checked(text, VALUE_MAX)?)
        });
        let names: Vec<Name> = names.collect::<Result<_, _>>()?;
        let ids = names.iter().map(|name| match name {
            Name::Id(id) => Some(Value::Int(*id)),
            Name::Key { .. } => None,
        });
        // Ids need not be looked up.
        Ok(match ids.collect::<Option<Vec<_>>>() {
            Some(ids) => Condition::In(self.column(), padded(ids)),
            None => Condition::Named(Named {
                names,
                how: How::Is(objects, self.column),
            }),
        })
    }
}

/// The texts between commas.
fn several(text: &str) -> Result<Vec<&str>, String> {
    let texts: Vec<&str> = text.split(',').collect();
    if texts.len() > VALUES_MAX {
        return Err(format!(
            "Ensure there are no more than {VALUES_MAX} values."
        ));
    }
    for text in &texts {
        checked(text, VALUE_MAX)?;
    }
    Ok(texts)
}

/// A text that can be compared.
fn checked(text: &str, max: usize) -> Result<&str, String> {
    rules::within(text, max)?;
    rules::without_nul(text)
}
