use actix_web::{
    Error as ActixError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap},
    middleware::Next,
};

use crate::error::Error;

/// Lets those through who take JSON; the others get 406.
///
/// # Errors
/// Those of the service inside.
pub async fn accepts_json<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    if takes_json(request.headers()) {
        Ok(next.call(request).await?.map_into_left_body())
    } else {
        let refusal = request.error_response(Error::NotAcceptable);
        Ok(refusal.map_into_right_body())
    }
}

/// RFC 9110, section 12.5.1: the most specific range that matches decides, and a quality of 0 refuses. Without
/// the header, or with an empty one, anything is taken.
fn takes_json(headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok());
    let ranges: Vec<&str> = ranges
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .collect();
    let best = ranges
        .iter()
        .filter_map(|range| rank(range))
        .max_by_key(|(precision, _)| *precision);
    match best {
        Some((_, taken)) => taken,
        None => {
            ranges.is_empty()
                && headers
                    .get_all(header::ACCEPT)
                    .all(|value| value.to_str().is_ok())
        }
    }
}

/// How precisely a media range names JSON, and whether it takes it.
fn rank(range: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let precision = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => 2,
        "application/*" => 1,
        "*/*" => 0,
        _ => return None,
    };
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let refused = quality
        .and_then(|quality| quality.parse::<f32>().ok())
        .is_some_and(|quality| quality <= 0.0);
    Some((precision, !refused))
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
