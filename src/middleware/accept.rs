use actix_web::{
    Error as ActixError, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName},
    middleware::Next,
};

use super::unless_refused;
use crate::{
    error::Error,
    query::{FORMAT, Params},
};

/// What an endpoint answers in.
#[derive(Debug, Clone, Copy)]
pub struct Renders {
    pub media_types: &'static [&'static str],
    /// It reads the parameter `format` itself.
    pub reads_format: bool,
}

/// Lets those through who take one of the media types; the others get 406.
///
/// # Errors
/// Those of the service inside.
pub async fn accepts<B: MessageBody>(
    offered: Renders,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let judged = if offered.reads_format && format(request.request()).is_some() {
        Ok(())
    } else {
        wanted(request.request(), offered.media_types).map(|_| ())
    };
    unless_refused(judged, request, next).await
}

/// The media type that the client wants: by the parameter `format`, as in DRF, or else by `Accept`.
///
/// # Errors
/// 404 for a format that there is not, 406 when the client accepts none.
pub fn wanted<'a>(request: &HttpRequest, offered: &[&'a str]) -> Result<&'a str, Error> {
    match format(request) {
        Some(format) if format == "json" => {
            let json = offered.iter().find(|name| **name == "application/json");
            json.copied().ok_or(Error::NoSuchPath)
        }
        Some(_) => Err(Error::NoSuchPath),
        None => preferred(request.headers(), offered).ok_or(Error::NotAcceptable),
    }
}

fn format(request: &HttpRequest) -> Option<String> {
    let params = Params::parse(request.query_string());
    params.last(FORMAT).map(ToOwned::to_owned)
}

/// The media type that the client likes best, of several alike the first; `None` when it takes none of them.
///
/// RFC 9110, section 12.5.1: the most specific range that matches decides, and a quality of 0 refuses. Without the
/// header, or with an empty one, anything is taken.
pub fn preferred<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    let is_empty = headers
        .get_all(header::ACCEPT)
        .all(|value| value.as_bytes().iter().all(|byte| b" ,\t".contains(byte)));
    if is_empty {
        return offered.first().copied();
    }
    let liked = offered.iter().map(|name| (*name, quality(headers, name)));
    liked
        .filter(|(_, quality)| *quality > 0.0)
        // Of several alike, this finds the last.
        .rev()
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(name, _)| name)
}

/// How much the client likes a media type.
fn quality(headers: &HeaderMap, media_type: &str) -> f32 {
    qualities(headers, &header::ACCEPT)
        .filter_map(|(range, quality)| Some((precision(range, media_type)?, quality)))
        .max_by_key(|(precision, _)| *precision)
        .map_or(0.0, |(_, quality)| quality)
}

/// How precisely a media range names a media type.
fn precision(range: &str, media_type: &str) -> Option<u8> {
    let (kind, _) = media_type.split_once('/')?;
    let is_kind = |name: &str| name.eq_ignore_ascii_case(kind);
    if range.eq_ignore_ascii_case(media_type) {
        Some(2)
    } else if range.strip_suffix("/*").is_some_and(is_kind) {
        Some(1)
    } else {
        (range == "*/*").then_some(0)
    }
}

/// The items of a list header, and how much the client likes each (RFC 9110, section 12.4.2): from 0, which refuses, to 1,
/// which is meant when nothing is said, or nothing that makes sense.
pub fn qualities<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'a str, f32)> {
    let values = headers.get_all(name);
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().filter(|name| !name.is_empty())?;
            let quality = parts
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1.0, |quality| quality.trim().parse().unwrap_or(1.0));
            Some((name, quality))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn chosen(accept: &'static str, offered: &[&'static str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        preferred(&headers, offered)
    }

    #[test]
    fn the_most_specific_range_decides() {
        for accept in [
            "",
            "*/*",
            "application/json",
            "APPLICATION/JSON;q=0.1",
            "text/html, */*;q=0.8",
            "application/json; indent=4",
        ] {
            assert!(chosen(accept, &["application/json"]).is_some(), "{accept}");
        }
        for accept in [
            "text/html",
            "application/json;q=0, */*",
            "application/*;q=0.0",
            "application",
            ";;;",
        ] {
            assert_eq!(chosen(accept, &["application/json"]), None, "{accept}");
        }
    }

    #[test]
    fn what_is_liked_best_is_chosen_and_of_several_alike_the_first() {
        const OFFERED: [&str; 2] = ["application/json", "text/html"];
        for (accept, choice) in [
            ("*/*", Some("application/json")),
            ("text/*, application/*", Some("application/json")),
            ("text/html", Some("text/html")),
            (
                "text/html,application/xhtml+xml,*/*;q=0.8",
                Some("text/html"),
            ),
            (
                "text/html;q=0.2, application/json;q=0.9",
                Some("application/json"),
            ),
            ("text/html;q=0, */*;q=0.1", Some("application/json")),
            ("image/png", None),
        ] {
            assert_eq!(chosen(accept, &OFFERED), choice, "{accept}");
        }
    }

    #[test]
    fn no_header_takes_anything() {
        assert!(preferred(&HeaderMap::new(), &["application/json"]).is_some());
    }
}
