//! A position in a list, as an opaque word in a URL.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Value;

/// Where a page begins: before or after a row, which is named by its sort values and not by an offset. Rows that are inserted or deleted
/// elsewhere do not move it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whether the page has the rows before the position.
    #[serde(rename = "b")]
    pub backward: bool,
    /// Whether the row at the position belongs to the page.
    #[serde(rename = "i")]
    pub inclusive: bool,
    /// The sort values of the row; the id is the last.
    #[serde(rename = "p")]
    pub place: Vec<Value>,
}

/// Bytes of the digest that detects damage and use with another list.
const TAG: usize = 8;

impl Cursor {
    /// The cursor of the page on the other side of the same position.
    pub fn turned(self) -> Self {
        Self {
            backward: !self.backward,
            inclusive: !self.inclusive,
            ..self
        }
    }

    /// Encodes the cursor for the list that `context` describes.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn encode(&self, context: &str) -> serde_json::Result<String> {
        let payload = serde_json::to_vec(self)?;
        let mut bytes = tag(context, &payload).to_vec();
        bytes.extend(payload);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Decodes the result of [`encode`](Self::encode) for the same `context`; `None` for anything else.
    pub fn decode(text: &str, context: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (found, payload) = bytes.split_at_checked(TAG)?;
        (found == tag(context, payload)).then(|| serde_json::from_slice(payload).ok())?
    }
}

fn tag(context: &str, payload: &[u8]) -> [u8; TAG] {
    let digest = Sha256::new()
        .chain_update(context.len().to_le_bytes())
        .chain_update(context)
        .chain_update(payload);
    let digest = digest.finalize();
    std::array::from_fn(|place| digest[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::Int),
            any::<String>().prop_map(Value::Text)
        ]
    }

    proptest! {
        #[test]
        fn reads_back_for_its_own_list_alone(
            backward: bool,
            inclusive: bool,
            place in prop::collection::vec(value(), 1..4),
            context: String,
            other: String,
        ) {
            let cursor = Cursor { backward, inclusive, place };
            let text = cursor.encode(&context).unwrap();
            prop_assert_eq!(Cursor::decode(&text, &context), Some(cursor));
            prop_assume!(context != other);
            prop_assert_eq!(Cursor::decode(&text, &other), None);
        }

        #[test]
        fn rubbish_is_refused(text: String) {
            prop_assert_eq!(Cursor::decode(&text, "developers"), None);
        }
    }
}
