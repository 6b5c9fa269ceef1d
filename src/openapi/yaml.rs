//! YAML that every reader takes for the same. A bare `on` is a truth value to YAML 1.1 and a text to 1.2, a bare date a time
//! to the one and a text to the other. So a text stands bare only where it can be nothing else, and in quotes elsewhere.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// Writes a value of JSON as a YAML document.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0),
        value => {
            scalar(&mut out, value, 0);
            out.push('\n');
        }
    }
    out
}

/// Writes the lines of an object or array that is not empty. The first begins where `out` ends.
fn block(out: &mut String, value: &Value, indent: usize) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            for (number, (name, value)) in fields.iter().enumerate() {
                if number > 0 {
                    out.push_str(&margin);
                }
                text(out, name);
                out.push(':');
                match value {
                    Value::Object(fields) if !fields.is_empty() => {
                        let _ = write!(out, "\n{margin}  ");
                        block(out, value, indent + 2);
                    }
                    // Its dashes stand below the name.
                    Value::Array(items) if !items.is_empty() => {
                        let _ = write!(out, "\n{margin}");
                        block(out, value, indent);
                    }
                    value => {
                        out.push(' ');
                        scalar(out, value, indent + 2);
                        out.push('\n');
                    }
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push_str(&margin);
                }
                out.push_str("- ");
                match item {
                    Value::Object(fields) if !fields.is_empty() => block(out, item, indent + 2),
                    Value::Array(items) if !items.is_empty() => block(out, item, indent + 2),
                    item => {
                        scalar(out, item, indent + 2);
                        out.push('\n');
                    }
                }
            }
        }
        _ => {}
    }
}

fn scalar(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(choice) => {
            let _ = write!(out, "{choice}");
        }
        Value::Number(value) => number(out, value),
        Value::String(value) if is_literal(value) => literal(out, value, indent),
        Value::String(value) => text(out, value),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// YAML 1.1 takes an exponent only behind a point, and with its sign.
fn number(out: &mut String, value: &Number) {
    let plain = value.to_string();
    let Some((mantissa, exponent)) = plain.split_once(['e', 'E']) else {
        return out.push_str(&plain);
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    let _ = write!(out, "{mantissa}{point}e{sign}{exponent}");
}

/// Several lines that lose nothing when they stand as they are.
fn is_literal(text: &str) -> bool {
    let is_plain = |line: &str| line.trim_end() == line && line.chars().all(is_printable);
    text.contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with('\n')
        && text.split('\n').all(is_plain)
}

fn literal(out: &mut String, text: &str, indent: usize) {
    out.push_str("|-");
    for line in text.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            let _ = write!(out, "{:indent$}{line}", "");
        }
    }
}

fn text(out: &mut String, text: &str) {
    if is_bare(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            _ if is_printable(character) => out.push(character),
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(character));
            }
        }
    }
    out.push('"');
}

/// Whether the text is that text to every reader, without quotes. Numbers, times and YAML's own signs begin otherwise.
fn is_bare(text: &str) -> bool {
    /// What YAML 1.1 or 1.2 takes for a truth value or nothing, in any letter case.
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./ ,;()'`".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.bytes().all(plain)
        && !text.ends_with(' ')
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether YAML shows the character as it is, on one line.
fn is_printable(character: char) -> bool {
    match character {
        '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        ' '..='~' | '\u{a1}'..='\u{fffd}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::to_yaml;

    #[test]
    fn what_could_be_anything_but_text_is_quoted() {
        for text in [
            "",
            " ",
            "~",
            "null",
            "Null",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "true",
            "FALSE",
            "1",
            "-1",
            "+1",
            "1_000",
            "0x1F",
            "0b1",
            "0o17",
            "017",
            "1.5",
            ".5",
            "1e3",
            ".inf",
            "-.INF",
            ".nan",
            "190:20:30",
            "1:30.5",
            "2026-11-20",
            "2026-11-20T08:15:30.123456Z",
            "2001-12-14 21:59:43.10 -5",
            "=",
            "<<",
            "-",
            "- a",
            "?",
            ": a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "@a",
            "`a`",
            "%a",
            "[a]",
            "{a}",
            "a\u{2028}b",
            "\u{feff}a",
            "é",
            "a ",
            "a\u{0}b",
            "a\tb",
            "\"",
            "\\",
            "'a'",
            "a\n",
            "\na",
            " a\nb",
        ] {
            let yaml = to_yaml(&json!({"a": text}));
            assert!(
                yaml.starts_with("a: \"") && yaml.ends_with("\"\n"),
                "{yaml}"
            );
            assert_eq!(yaml.lines().count(), 1, "{yaml}");
            let name = to_yaml(&json!({text: 1}));
            assert!(name.starts_with('"') && name.ends_with("\": 1\n"), "{name}");
        }
    }

    #[test]
    fn the_rest_is_easy_to_read() {
        let value = json!({
            "openapi": "3.1.0", "about": "One line, `bare`.", "lines": "One.\n\n  Two: 2", "none": null, "number": 1e22,
            "list": [{"a": 1, "b": [[1, 2], []]}, {}], "/api/{id}/": true,
        });
        let yaml = "openapi: \"3.1.0\"\nabout: One line, `bare`.\nlines: |-\n  One.\n\n    Two: 2\nnone: null\n\
            number: 1.0e+22\nlist:\n- a: 1\n  b:\n  - - 1\n    - 2\n  - []\n- {}\n\"/api/{id}/\": true\n";
        assert_eq!(to_yaml(&value), yaml);
    }
}
