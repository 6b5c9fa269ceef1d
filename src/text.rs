//! Comparing text as people do: letter case, accents, words.

use unicase::UniCase;
use unicode_normalization::{
    UnicodeNormalization as _,
    char::{canonical_combining_class, is_combining_mark},
};

/// Removes the space around a text, the same characters as Python's `str.strip`, which DRF uses.
pub fn trim(text: &str) -> &str {
    // Python also counts the separators of files, groups, records and units (U+001C to U+001F).
    text.trim_matches(|character: char| {
        character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
    })
}

/// Folds letter case in every script (Unicode's full case folding, as Python's `str.casefold`). Two names that differ only in
/// case fold to the same text; so do `STRASSE` and `straße`.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        UniCase::unicode(text).to_folded_case()
    }
}

/// The name of a type as people write it: `AuditEntry` is an audit entry.
pub fn phrase(name: &str) -> String {
    let mut phrase = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if character.is_uppercase() && !phrase.is_empty() {
            phrase.push(' ');
        }
        phrase.extend(character.to_lowercase());
    }
    phrase
}

/// The words of `text`, folded and without accents, in order. A word is a run of letters, digits and combining marks.
/// `München-Süd` has the words `munchen` and `sud`.
pub fn words(text: &str) -> Vec<String> {
    // Accents have a combining class other than 0. Vowel signs of Indic scripts have class 0 and are kept.
    let bare = fold(text)
        .nfd()
        .filter(|character| canonical_combining_class(*character) == 0)
        .nfc()
        .collect::<String>();
    let of_word = |character: char| character.is_alphanumeric() || is_combining_mark(character);
    bare.split(|character| !of_word(character))
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

/// The [`words`] as the database stores them.
pub fn joined_words(text: &str) -> String {
    words(text).join(" ")
}

#[cfg(test)]
mod tests {
    use super::{fold, phrase, trim, words};

    #[test]
    fn folds_every_script() {
        assert_eq!(fold("Nestlé S.A."), "nestlé s.a.");
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ЯНДЕКС"), "яндекс");
    }

    #[test]
    fn a_phrase_is_the_words_of_a_type() {
        assert_eq!(phrase("Company"), "company");
        assert_eq!(phrase("AuditEntry"), "audit entry");
    }

    #[test]
    fn trims_as_python_does() {
        assert_eq!(trim(" \t\u{1c}\u{85}a b\u{1f}\u{3000}\n"), "a b");
        assert_eq!(trim("\u{feff}\u{200b}"), "\u{feff}\u{200b}");
        assert_eq!(trim("\u{1d} "), "");
    }

    #[test]
    fn words_lose_case_accents_and_what_separates_them() {
        assert_eq!(
            words("  München-Süd, Sébastien's C++17 "),
            ["munchen", "sud", "sebastien", "s", "c", "17"]
        );
        assert_eq!(
            words("Ἀθῆναι ИВАНО\u{301}В Tạ Cẩm Tú"),
            ["αθηναι", "иванов", "ta", "cam", "tu"]
        );
        assert_eq!(words("日本語 हिन्दी 한국"), ["日本語", "हिनदी", "한국"]);
        assert_eq!(words("\"AND\" * ( - \0 😀 NEAR("), ["and", "near"]);
        assert!(words("++ -- ''").is_empty());
    }
}
