//! E-mail addresses, judged as Django's `EmailValidator` does (5.2). Whether mail arrives there, mail alone can tell.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Characters of a label of a domain at most (RFC 1034).
const LABEL_MAX: usize = 63;

/// Whether `text` is an address: a local part, an `@`, and a domain.
pub fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        (is_dot_atom(local) || is_quoted(local))
            && (domain == "localhost" || is_domain(domain) || is_literal(domain))
    })
}

/// Words of letters, digits and some signs, with a dot between two.
fn is_dot_atom(local: &str) -> bool {
    let fits = |character: char| {
        character.is_ascii_alphanumeric() || "-!#$%&'*+/=?^_`{}|~".contains(character)
    };
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(fits))
}

/// Text in quotes: a backslash makes a blank, a tab, a quote or itself part of it; no way leads in a line break.
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return false;
    };
    let escapable = |byte: u8| !matches!(byte, 0 | b'\n' | b'\r') && byte.is_ascii();
    let plain = |byte: u8| escapable(byte) && !matches!(byte, b'\t' | b' ' | b'"' | b'\\');
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let fits = if byte == b'\\' {
            bytes.next().is_some_and(escapable)
        } else {
            plain(byte)
        };
        if !fits {
            return false;
        }
    }
    true
}

/// Two labels or more, in any script; the last has no digits, unless it is an encoded one.
fn is_domain(domain: &str) -> bool {
    let Some((_, last)) = domain.rsplit_once('.') else {
        return false;
    };
    domain.split('.').all(is_label) && is_top_level(last)
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_MAX).contains(&label.chars().count())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|character| character.is_ascii_digit() || is_letter(character) || character == '-')
}

fn is_top_level(label: &str) -> bool {
    let prefix = label.get(..4).unwrap_or_default();
    let encoded = prefix.eq_ignore_ascii_case("xn--")
        && label[4..].bytes().all(|byte| byte.is_ascii_alphanumeric());
    let named = label.chars().count() > 1
        && label
            .chars()
            .all(|character| is_letter(character) || character == '-');
    encoded || named
}

/// An ASCII letter, or whatever Django takes for one of another script.
fn is_letter(character: char) -> bool {
    character.is_ascii_alphabetic() || ('\u{a1}'..='\u{ffff}').contains(&character)
}

/// An IP address in brackets.
fn is_literal(domain: &str) -> bool {
    domain
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|ip| ip.parse::<Ipv4Addr>().is_ok() || ip.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_django_takes() {
        let long = "a".repeat(LABEL_MAX);
        for address in [
            // From the table of Django's own tests.
            "email@here.com",
            "weirder-email@here.and.there.com",
            "email@[127.0.0.1]",
            "email@[2001:dB8::1]",
            "email@[2001:dB8:0:0:0:0:0:1]",
            "email@[::fffF:127.0.0.1]",
            "example@valid-----hyphens.com",
            "example@valid-with-hyphens.com",
            "test@domain.with.idn.tld.उदाहरण.परीक्षा",
            "email@localhost",
            "\"test@test\"@example.com",
            &format!("example@atm.{long}"),
            &format!("example@{long}.atm"),
            &format!("example@{long}.{}.atm", "b".repeat(10)),
            "\"\\\t\"@here.com",
            &format!("a@{long}.us"),
            // Others.
            "root@localhost",
            "a.b+c_d'e@c.de",
            "\"\"@c.de",
            "\"a\\ b\"@c.de",
            "\"a\\\"b\"@c.de",
            "a@xn--mnchen-3ya.de",
            "a@münchen.de",
            "a@example.xn--p1ai",
            "A@EXAMPLE.XN--P1AI",
            "a@1.2.com",
            "a@example.a-b",
        ] {
            assert!(is_address(address), "{address}");
        }
    }

    #[test]
    fn refuses_what_django_refuses() {
        let too_long = "a".repeat(LABEL_MAX + 1);
        for text in [
            // From the table of Django's own tests.
            &format!("example@atm.{too_long}") as &str,
            &format!("example@{}.atm.{}", "b".repeat(64), "a".repeat(63)),
            "",
            "abc",
            "abc@",
            "abc@bar",
            "a @x.cz",
            "abc@.com",
            "something@@somewhere.com",
            "email@127.0.0.1",
            "email@[127.0.0.256]",
            "email@[2001:db8::12345]",
            "email@[2001:db8:0:0:0:0:1]",
            "email@[::ffff:127.0.0.256]",
            "email@[2001:dg8::1]",
            "email@[2001:dG8:0:0:0:0:0:1]",
            "email@[::fTzF:127.0.0.1]",
            "example@invalid-.com",
            "example@-invalid.com",
            "example@invalid.com-",
            "example@inv-.alid-.com",
            "example@inv-.-alid.com",
            "test@example.com\n\n<script src=\"x.js\">",
            "\"\\\n\"@here.com",
            "trailingdot@shouldfail.com.",
            &format!("a@{too_long}.us"),
            "a@b.com\n",
            "a\n@b.com",
            "\"test@test\"\n@example.com",
            "a@[127.0.0.1]\n",
            // Others.
            "@c.de",
            "a..b@c.de",
            ".a@c.de",
            "a.@c.de",
            "a@localhost.",
            "a@LOCALHOST",
            "\"a b\"@c.de",
            "\"a\"b\"@c.de",
            "\"a\\\"@c.de",
            "\"@c.de",
            "a@c.d",
            "a@c.d1",
            "a@example.xn--",
            "a@xn--p1ai",
            "a@c..de",
            "a@[127.0.0.01]",
            "a@[fe80::1%eth0]",
            "a@[]",
            "ä@c.de",
            "a@💩.de",
            "a@c_d.de",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
