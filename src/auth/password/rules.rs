//! Django's password validators, with its texts and in its order.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::rules::within;

/// Characters of a password at least.
pub const LENGTH_MIN: usize = 8;
/// More than anybody types; what is hashed has a bound.
pub const LENGTH_MAX: usize = 4_096;
/// How like an attribute of its user a password may not be, from 0 to 1.
const SIMILARITY_MAX: f64 = 0.7;

/// See `common.md`.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Holds a new password to the rules.
///
/// # Errors
/// Every message that applies.
pub fn check(password: &str, username: &str, email: &str) -> Result<(), Vec<String>> {
    // Before anything whose cost grows with the length.
    within(password, LENGTH_MAX).map_err(|message| vec![message])?;
    let length = password.chars().count();
    let lower = password.to_lowercase();
    let similar = [("username", username), ("email address", email)]
        .into_iter()
        .find(|(_, value)| is_similar(&lower, &value.to_lowercase()))
        .map(|(name, _)| format!("The password is too similar to the {name}."));
    let rules = [
        (
            length < LENGTH_MIN,
            format!(
                "This password is too short. It must contain at least {LENGTH_MIN} characters."
            ),
        ),
        (
            COMMON.contains(lower.trim()),
            "This password is too common.".to_owned(),
        ),
        (
            password.chars().all(char::is_numeric),
            "This password is entirely numeric.".to_owned(),
        ),
    ];
    let broken = rules.into_iter().filter(|(broken, _)| *broken);
    let messages: Vec<String> = similar
        .into_iter()
        .chain(broken.map(|(_, message)| message))
        .collect();
    if messages.is_empty() {
        Ok(())
    } else {
        Err(messages)
    }
}

/// Whether the password is like the attribute or one of its words; both are in lower case.
fn is_similar(password: &str, value: &str) -> bool {
    let of_word = |character: char| character.is_alphanumeric() || character == '_';
    value
        .split(|character| !of_word(character))
        .chain([value])
        .filter(|part| may_be_like(password.len(), part.len()))
        .any(|part| likeness(password, part) >= SIMILARITY_MAX)
}

/// Whether two texts of these many bytes can be alike at all: all of the shorter one may be in the longer one and no more. A
/// character has at most four times the bytes of another.
fn may_be_like(one: usize, other: usize) -> bool {
    let (shorter, longer) = (one.min(other), one.max(other));
    shorter > 0 && longer <= shorter.saturating_mul(8)
}

/// The share of characters that both have, wherever they stand: `quick_ratio` of Python's `SequenceMatcher`.
fn likeness(one: &str, other: &str) -> f64 {
    let mut left: HashMap<char, usize> = HashMap::new();
    for character in one.chars() {
        *left.entry(character).or_default() += 1;
    }
    let shared = other
        .chars()
        .filter(|character| match left.get_mut(character) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        })
        .count();
    let length = one.chars().count() + other.chars().count();
    // Lengths of texts are far below what 52 bits hold.
    #[expect(clippy::cast_precision_loss, reason = "lengths of short texts")]
    let ratio = 2.0 * shared as f64 / length as f64;
    ratio
}

#[cfg(test)]
mod tests {
    use super::check;

    fn messages(password: &str) -> Vec<String> {
        check(password, "ada.lovelace", "countess@example.org")
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn every_rule_speaks() {
        assert_eq!(
            messages("12345"),
            [
                "This password is too short. It must contain at least 8 characters.",
                "This password is too common.",
                "This password is entirely numeric.",
            ]
        );
        assert_eq!(messages("Password"), ["This password is too common."]);
        assert_eq!(
            messages("9182736450192837"),
            ["This password is entirely numeric."]
        );
        for like in ["Ada.Lovelace", "lovelace1", "ecalevol", "l0velace"] {
            assert_eq!(
                messages(like),
                ["The password is too similar to the username."],
                "{like}"
            );
        }
        assert_eq!(
            messages("countess1"),
            ["The password is too similar to the email address."]
        );
        // Whatever else is wrong with one that long, nobody looks for it.
        assert_eq!(
            messages(&"1".repeat(4_097)),
            ["Ensure this field has no more than 4096 characters."]
        );
    }

    #[test]
    fn others_pass() {
        for password in ["correct horse", "пар0льдлинный", "        x1", "adaada12"] {
            assert!(messages(password).is_empty(), "{password}");
        }
        assert!(check("correct horse", "", "").is_ok());
    }
}
