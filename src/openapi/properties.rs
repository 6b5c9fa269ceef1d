use serde_json::{Map, Value, json};

/// The fields that an object may have in a request: a JSON Schema in the making.
#[derive(Debug, Default)]
pub struct Properties {
    schemas: Map<String, Value>,
    required: Vec<String>,
}

impl Properties {
    pub fn add(&mut self, name: &str, required: bool, schema: Value) {
        self.schemas.insert(name.to_owned(), schema);
        if required {
            self.required.push(name.to_owned());
        }
    }

    /// A field whose value is passed over.
    pub fn add_read_only(&mut self, name: &str) {
        self.schemas
            .entry(name)
            .or_insert_with(|| json!({"readOnly": true}));
    }

    /// Says which fields these others, who may set less, cannot set.
    pub fn compared(mut self, others: &Self, note: &str) -> Self {
        for (name, schema) in &mut self.schemas {
            if is_read_only(others.schemas.get(name)) && !is_read_only(Some(schema)) {
                append(schema, note);
            }
        }
        self
    }

    /// Takes over what `shown`, the schema of the object as it is read, says of the fields, and makes its examples those of
    /// what can be sent.
    pub fn explained(mut self, shown: &Value) -> Value {
        for (name, schema) in &mut self.schemas {
            if let Some(Value::String(about)) = shown["properties"][name].get("description") {
                prepend(schema, about);
            }
        }
        let examples: Vec<Value> = shown["examples"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|example| self.sendable(example))
            .collect();
        let mut schema = self.into_schema();
        if !examples.is_empty() {
            schema["examples"] = examples.into();
        }
        schema
    }

    pub fn into_schema(self) -> Value {
        let mut schema = json!({
            "type": "object",
            "properties": self.schemas,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema["required"] = self.required.into();
        }
        schema
    }

    /// What of an object that was read can be sent, with what it refers to by name, and what has to be sent with it.
    fn sendable(&self, object: &Value) -> Value {
        let members = object.as_object().into_iter().flatten();
        let taken = members.filter(|(name, _)| {
            let schema = self.schemas.get(*name);
            schema.is_some() && !is_read_only(schema)
        });
        let unseen = self.required.iter().filter_map(|name| {
            let example = self.schemas[name]["examples"].get(0)?;
            Some((name.clone(), example.clone()))
        });
        taken
            .map(|(name, value)| (name.clone(), by_name(value)))
            .chain(unseen)
            .collect::<Map<_, _>>()
            .into()
    }
}

fn is_read_only(schema: Option<&Value>) -> bool {
    schema.is_some_and(|schema| schema["readOnly"] == true)
}

/// A value with every object in it in its short form: the name.
pub fn by_name(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.get("name").unwrap_or(value).clone(),
        Value::Array(values) => values.iter().map(by_name).collect(),
        value => value.clone(),
    }
}

fn append(schema: &mut Value, text: &str) {
    let about = schema["description"]
        .as_str()
        .map(|about| about.to_owned() + " ");
    schema["description"] = (about.unwrap_or_default() + text).into();
}

fn prepend(schema: &mut Value, text: &str) {
    let about = schema["description"]
        .as_str()
        .map(|about| format!(" {about}"));
    schema["description"] = (text.to_owned() + &about.unwrap_or_default()).into();
}
