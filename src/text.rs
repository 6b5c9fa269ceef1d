//! Text as people compare it.

use unicase::UniCase;

/// Folds the letter case of every script (Unicode's full case folding, as Python's `str.casefold`): two names
/// that differ in case alone fold to the same text, `STRASSE` and `straße` among them.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        UniCase::unicode(text).to_folded_case()
    }
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn folds_every_script() {
        assert_eq!(fold("Nestlé S.A."), "nestlé s.a.");
        assert_eq!(fold("ΟΔΟΣ"), fold("οδος"));
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ЯНДЕКС"), "яндекс");
    }
}
