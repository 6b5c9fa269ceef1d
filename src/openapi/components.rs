use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The shared parts of operations, by name.
#[derive(Debug, Default)]
pub struct Components {
    schemas: Map<String, Value>,
}

impl Components {
    /// A reference to the schema of a wire struct.
    pub fn schema<T: ToSchema>(&mut self) -> Value {
        let mut parts = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut parts);
        for (name, schema) in parts {
            let schema = serde_json::to_value(schema).unwrap_or_default();
            self.named(&name, |_| with_examples(schema));
        }
        reference(&T::name())
    }

    /// A reference to the schema of that name, which is made unless it is there.
    pub fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.schemas.contains_key(name) {
            let schema = make(self);
            self.schemas.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    /// The schema that a reference leads to.
    pub fn get(&self, reference: &Value) -> Option<&Value> {
        self.schemas.get(name_of(reference)?)
    }

    /// The first example of what fits the schema; of several schemas, of the first.
    pub fn example(&self, schema: &Value) -> Option<Value> {
        let schema = self.get(schema).unwrap_or(schema);
        match schema["examples"].get(0) {
            Some(example) => Some(example.clone()),
            None => self.example(schema["anyOf"].get(0)?),
        }
    }

    /// A reference to the same schema with every field left to choice, as the parameter `fields` makes it, and so what it holds.
    pub fn sparse(&mut self, reference: &Value) -> Value {
        let (Some(name), Some(whole)) = (name_of(reference), self.get(reference).cloned()) else {
            return reference.clone();
        };
        let title = format!("The fields of {name} that `fields` names.");
        let name = format!("Sparse{name}");
        self.named(&name, |components| {
            let mut schema = whole;
            if let Value::Object(members) = &mut schema {
                members.shift_remove("required");
                members.shift_remove("examples");
                members.insert("description".to_owned(), title.into());
            }
            if let Some(properties) = schema["properties"].as_object_mut() {
                for property in properties.values_mut() {
                    components.sparsen(property);
                }
            }
            schema
        })
    }

    fn sparsen(&mut self, property: &mut Value) {
        let is_object = |schema: Option<&Value>| {
            schema.is_some_and(|schema| schema.get("properties").is_some())
        };
        if is_object(self.get(property)) {
            *property = self.sparse(property);
        } else if is_object(property.get("items").and_then(|items| self.get(items))) {
            property["items"] = self.sparse(&property["items"]);
        }
    }

    /// The schemas in the order of their names.
    pub fn into_schemas(mut self) -> Map<String, Value> {
        self.schemas.sort_keys();
        self.schemas
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn name_of(reference: &Value) -> Option<&str> {
    reference["$ref"]
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// The blocks of JSON in a description are the schema's examples.
fn with_examples(mut schema: Value) -> Value {
    const BEGIN: &str = "```json\n";
    const END: &str = "\n```";
    let Some(mut about) = schema["description"].as_str().map(ToOwned::to_owned) else {
        return schema;
    };
    let mut examples = Vec::new();
    while let Some((before, (block, after))) = about
        .split_once(BEGIN)
        .and_then(|(before, rest)| Some((before, rest.split_once(END)?)))
    {
        examples.extend(serde_json::from_str::<Value>(block));
        about = [before.trim_end(), after].concat();
    }
    schema["description"] = about.trim().into();
    if !examples.is_empty() {
        schema["examples"] = examples.into();
    }
    schema
}
