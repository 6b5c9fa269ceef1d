//! Entity tags (RFC 9110, section 8.8.3). They are strong: a digest of the body.

use actix_web::http::header::{self, HeaderMap, HeaderName};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// Bytes of the digest in a tag. 128 bits make collisions practically impossible.
const BYTES: usize = 16;

/// The tag of a body, with its quotes.
pub fn of(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&digest[..BYTES]))
}

/// The tags that a header lists.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any version.
    Any,
    /// The tags as written, with their quotes.
    These(Vec<String>),
}

/// The conditions of a request: `If-Match` and `If-None-Match`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Conditions {
    pub fn of(headers: &HeaderMap) -> Self {
        Self {
            if_match: tags(headers, &header::IF_MATCH),
            if_none_match: tags(headers, &header::IF_NONE_MATCH),
        }
    }

    /// Whether `If-None-Match` has this tag, by weak comparison: the client has this version already.
    pub fn is_known(&self, tag: &str) -> bool {
        match &self.if_none_match {
            Some(Tags::Any) => true,
            Some(Tags::These(tags)) => tags
                .iter()
                .any(|known| bare(known.trim_start_matches("W/")) == bare(tag)),
            None => false,
        }
    }

    /// Compares the conditions with the object's current body. `If-Match` compares strongly.
    ///
    /// # Errors
    /// 412 when the object is not the version that the client expects.
    pub fn check(&self, body: &[u8]) -> Result<(), Error> {
        let tag = of(body);
        let expected = match &self.if_match {
            Some(Tags::These(tags)) => tags.iter().any(|known| bare(known) == bare(&tag)),
            Some(Tags::Any) | None => true,
        };
        if expected && !self.is_known(&tag) {
            Ok(())
        } else {
            Err(Error::PreconditionFailed)
        }
    }

    /// Whether there is any condition. Only then must the current body be loaded.
    pub fn are_any(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }

    /// Checks the conditions of a POST to a list. A list always exists.
    ///
    /// # Errors
    /// 412 for `If-None-Match: *`.
    pub fn check_list(&self) -> Result<(), Error> {
        if self.if_none_match == Some(Tags::Any) {
            Err(Error::PreconditionFailed)
        } else {
            Ok(())
        }
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Tags> {
    let lists: Vec<&str> = headers
        .get_all(name)
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    if lists.is_empty() {
        return None;
    }
    // The server's tags have no commas, so a foreign tag that is split at one matches nothing either way.
    let tags = lists.iter().flat_map(|list| list.split(',')).map(str::trim);
    let tags: Vec<String> = tags.map(ToOwned::to_owned).collect();
    Some(if tags.iter().any(|tag| tag == "*") {
        Tags::Any
    } else {
        Tags::These(tags)
    })
}

/// The tag without the suffix for its encoding. Each encoding of a body has a tag of its own, and all name the same version.
fn bare(tag: &str) -> &str {
    ["-gzip\"", "-br\"", "-zstd\""]
        .iter()
        .find_map(|suffix| tag.strip_suffix(suffix))
        .unwrap_or_else(|| tag.strip_suffix('"').unwrap_or(tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn conditions(name: HeaderName, value: &str) -> Conditions {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        Conditions::of(&headers)
    }

    #[test]
    fn if_match_wants_one_of_its_tags() {
        let tag = of(b"x");
        let gzip = tag.replace('"', "").clone();
        for fits in [
            tag.clone(),
            format!("\"a\", {tag}"),
            "*".to_owned(),
            format!("\"{gzip}-gzip\""),
        ] {
            assert!(
                conditions(header::IF_MATCH, &fits).check(b"x").is_ok(),
                "{fits}"
            );
        }
        for other in ["\"a\"", "", "a", &format!("W/{tag}"), &of(b"y")] {
            assert!(
                conditions(header::IF_MATCH, other).check(b"x").is_err(),
                "{other}"
            );
        }
    }

    #[test]
    fn if_none_match_wants_none_of_its_tags() {
        let tag = of(b"x");
        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"a\",{tag}"),
            "*".to_owned(),
        ] {
            let conditions = conditions(header::IF_NONE_MATCH, &known);
            assert!(
                conditions.is_known(&tag) && conditions.check(b"x").is_err(),
                "{known}"
            );
        }
        assert!(!conditions(header::IF_NONE_MATCH, "\"a\"").is_known(&tag));
        assert!(!Conditions::default().is_known(&tag) && !Conditions::default().are_any());
    }
}
