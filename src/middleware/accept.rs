use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName},
    middleware::Next,
};

use super::unless_refused;
use crate::error::Error;

/// Lets those through who take JSON; the others get 406.
///
/// # Errors
/// Those of the service inside.
pub async fn accepts_json<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let judged = if takes_json(request.headers()) {
        Ok(())
    } else {
        Err(Error::NotAcceptable)
    };
    unless_refused(judged, request, next).await
}

/// RFC 9110, section 12.5.1: the most specific range that matches decides, and a quality of 0 refuses. Without
/// the header, or with an empty one, anything is taken.
fn takes_json(headers: &HeaderMap) -> bool {
    let best = qualities(headers, &header::ACCEPT)
        .filter_map(|(range, quality)| Some((precision(range)?, quality)))
        .max_by_key(|(precision, _)| *precision);
    match best {
        Some((_, quality)) => quality > 0.0,
        None => headers
            .get_all(header::ACCEPT)
            .all(|value| value.as_bytes().iter().all(|byte| b" ,\t".contains(byte))),
    }
}

/// How precisely a media range names JSON.
fn precision(range: &str) -> Option<u8> {
    match range.to_ascii_lowercase().as_str() {
        "application/json" => Some(2),
        "application/*" => Some(1),
        "*/*" => Some(0),
        _ => None,
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

    fn taken(accept: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        takes_json(&headers)
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
            assert!(taken(accept), "{accept}");
        }
        for accept in [
            "text/html",
            "application/json;q=0, */*",
            "application/*;q=0.0",
            "application",
            ";;;",
        ] {
            assert!(!taken(accept), "{accept}");
        }
    }

    #[test]
    fn no_header_takes_anything() {
        assert!(takes_json(&HeaderMap::new()));
    }
}
