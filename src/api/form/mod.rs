//! The fields of a body, checked as DRF's serializers check them: everything that is wrong is told in one answer.

mod rules;

use std::collections::BTreeMap;

use diesel::QueryResult;
use serde::Serialize;
use serde_json::{Value, json};

pub use self::rules::{
    Boolean, Hash, Moment, NewPassword, PASSWORD_EXAMPLE, Password, Rule, integer, optional_text,
    optional_text_by, reference_to, text, text_by, year,
};
use self::rules::{reference, reference_schema};
use crate::{
    auth::PasswordHash,
    db::DbConnection,
    error::FieldErrors,
    files::Column,
    json::Json,
    models::{Found, Referable, Reference},
    openapi::Properties,
    rules::{NULL, REQUIRED},
};

/// Objects of one list at most.
const LIST_MAX: usize = 1_000;

/// The fields of one object that somebody wants to store. Each is taken once, by its name and rule, into the draft of a row;
/// whatever is left over at the end is unknown.
pub struct Form {
    fields: BTreeMap<String, Json>,
    /// Not a PATCH: what is not named takes its default.
    whole: bool,
    /// An empty cell of a file is a null here, and asks for the default.
    from_file: bool,
    errors: FieldErrors,
    /// Of the password among the fields; see [`Body::hash_password`](super::Body::hash_password).
    pub hash: Option<PasswordHash>,
    /// Of a form that nobody has sent: what would be taken.
    described: Option<Properties>,
}

impl Form {
    /// The fields of what should be an object; what is none is refused as a whole.
    pub fn new(value: Json, whole: bool) -> Self {
        let mut form = Self {
            fields: BTreeMap::new(),
            whole,
            from_file: false,
            errors: FieldErrors::default(),
            hash: None,
            described: None,
        };
        match value {
            Json::Object(fields) => form.fields = fields,
            other => {
                // Nothing else is asked of it.
                form.whole = false;
                let message = format!(
                    "Invalid data. Expected a dictionary, but got {}.",
                    other.type_name()
                );
                form.refuse("non_field_errors", &message);
            }
        }
        form
    }

    /// The fields of an object in a file.
    pub fn of_file(fields: BTreeMap<String, Json>, whole: bool) -> Self {
        Self {
            from_file: true,
            ..Self::new(Json::Object(fields), whole)
        }
    }

    /// Whether a file may set what clients may not, such as the time of creation.
    pub fn is_of_file(&self) -> bool {
        self.from_file
    }

    /// Refuses what a row of a file must have and this one has not.
    pub fn need(&mut self, columns: &[Column]) {
        for Column { name, .. } in columns.iter().filter(|column| column.needed) {
            match self.fields.get(*name) {
                None => self.refuse(name, REQUIRED),
                Some(Json::Null) => self.refuse(name, NULL),
                Some(_) => {}
            }
        }
    }

    /// What `read` would take of a form.
    pub fn described(whole: bool, read: impl FnOnce(&mut Self)) -> Properties {
        let mut form = Self::new(Json::empty(), whole);
        form.described = Some(Properties::default());
        read(&mut form);
        form.described.unwrap_or_default()
    }

    /// The text of a field, as the rule for texts of `max` characters would take it.
    pub fn text(&self, name: &str, max: usize) -> Option<String> {
        let text = self.fields.get(name)?.to_text().ok()?;
        crate::rules::text(&text, max).ok()
    }

    /// Whether the field is named.
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether the field has a value.
    pub fn holds(&self, name: &str) -> bool {
        self.fields
            .get(name)
            .is_some_and(|value| *value != Json::Null)
    }

    /// Whether anything was said against a field.
    pub fn is_refused(&self, name: &str) -> bool {
        self.errors.contains(name)
    }

    /// A field that a whole object must have.
    pub fn required<R: Rule>(&mut self, name: &str, target: &mut R::Value, rule: R) {
        if let Some(described) = &mut self.described {
            return described.add(name, self.whole, rule.schema());
        }
        match self.fields.remove(name) {
            Some(value) => self.take(name, &value, target, rule),
            None if self.whole => self.refuse(name, REQUIRED),
            None => {}
        }
    }

    /// A field that a whole object need not have, for it has a `default`.
    pub fn optional<R: Rule<Value: Serialize>>(
        &mut self,
        name: &str,
        target: &mut R::Value,
        default: R::Value,
        rule: R,
    ) {
        if let Some(described) = &mut self.described {
            let mut schema = rule.schema();
            if self.whole {
                schema["default"] = json!(default);
            }
            return described.add(name, false, schema);
        }
        match self.fields.remove(name) {
            Some(Json::Null) if self.from_file => *target = default,
            Some(value) => self.take(name, &value, target, rule),
            None if self.whole => *target = default,
            None => {}
        }
    }

    /// A field that stays as it is unless it is named.
    pub fn kept<R: Rule>(&mut self, name: &str, target: &mut R::Value, rule: R) {
        if let Some(described) = &mut self.described {
            return described.add(name, false, rule.schema());
        }
        match self.fields.remove(name) {
            Some(Json::Null) if self.from_file => {}
            Some(value) => self.take(name, &value, target, rule),
            None => {}
        }
    }

    /// An optional field that may be null, and is so by default.
    pub fn nullable<R: Rule>(&mut self, name: &str, target: &mut Option<R::Value>, rule: R) {
        if let Some(described) = &mut self.described {
            return described.add(name, false, or_null(rule.schema()));
        }
        match self.fields.remove(name) {
            Some(Json::Null) => *target = None,
            Some(value) => match rule.read(&value) {
                Ok(value) => *target = Some(value),
                Err(message) => self.refuse(name, &message),
            },
            None if self.whole => *target = None,
            None => {}
        }
    }

    /// Fields that are not the client's to set: whatever they hold is passed over, so that an object can be sent back as it was
    /// read.
    pub fn read_only(&mut self, names: &[&str]) {
        for name in names {
            self.fields.remove(*name);
            if let Some(described) = &mut self.described {
                described.add_read_only(name);
            }
        }
    }

    pub fn refuse(&mut self, name: &str, message: &str) {
        self.errors.add(name, message);
    }

    pub fn refuse_all(&mut self, errors: &FieldErrors) {
        for (name, messages) in errors.iter() {
            for message in messages {
                self.refuse(name, message);
            }
        }
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
            Some(Json::List(values)) => values
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
        if let Some(described) = &mut self.described {
            let schema =
                json!({"type": "array", "items": reference_schema::<M>(), "maxItems": LIST_MAX});
            return described.add(name, false, schema);
        }
        let values = match self.fields.remove(name) {
            Some(Json::List(values)) => values,
            Some(Json::Null) if self.from_file => Vec::new(),
            Some(Json::Null) => return self.refuse(name, NULL),
            Some(other) => {
                let message = format!(
                    "Expected a list of items but got type \"{}\".",
                    other.type_name()
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

    fn take<R: Rule>(&mut self, name: &str, value: &Json, target: &mut R::Value, rule: R) {
        let result = match value {
            Json::Null => Err(NULL.to_owned()),
            value => rule.read(value),
        };
        match result {
            Ok(value) => *target = value,
            Err(message) => self.refuse(name, &message),
        }
    }
}

/// The schema of what may be null too.
fn or_null(mut schema: Value) -> Value {
    match schema["type"].as_str() {
        Some(name) => schema["type"] = json!([name, "null"]),
        None => schema = json!({"anyOf": [schema, {"type": "null"}]}),
    }
    schema
}
