use std::io::{self, Write as _};

use actix_web::{
    Error as ActixError, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderValue},
    middleware::Next,
    web::{self, Bytes},
};

use super::accept::qualities;
use crate::error::Error;

/// Bodies up to this many bytes are not worth compressing.
const SMALL: usize = 1_024;
/// Bodies from this many bytes on are compressed on another thread, because other requests would wait.
const LARGE: usize = 64 * 1_024;

/// The content encodings, the fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Zstd,
    Brotli,
    Gzip,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// The name in headers and entity tags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The client's preferred encoding for a body of this length; the fastest of those that it prefers equally.
    pub fn of(headers: &HeaderMap, length: usize) -> Option<Self> {
        if length <= SMALL {
            return None;
        }
        let (mut best, mut most) = (None, 0.0);
        for encoding in Self::ALL {
            let quality = quality(headers, encoding.name());
            if quality > most {
                (best, most) = (Some(encoding), quality);
            }
        }
        best
    }

    /// Whether the client accepts it.
    pub fn is_taken(self, headers: &HeaderMap) -> bool {
        quality(headers, self.name()) > 0.0
    }

    fn encode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Zstd => zstd::bulk::compress(body, 1),
            Self::Brotli => {
                let params = brotli::enc::BrotliEncoderParams {
                    quality: 3,
                    size_hint: body.len(),
                    ..Default::default()
                };
                let mut encoded = Vec::new();
                brotli::BrotliCompress(&mut &*body, &mut encoded, &params)?;
                Ok(encoded)
            }
            Self::Gzip => {
                let level = flate2::Compression::new(4);
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }
}

/// The client's preference for an encoding; 0 when it is not accepted (RFC 9110, section 12.5.3).
fn quality(headers: &HeaderMap, name: &str) -> f32 {
    let mut others = 0.0;
    for (item, quality) in qualities(headers, &header::ACCEPT_ENCODING) {
        if item.eq_ignore_ascii_case(name) || (name == "gzip" && item == "x-gzip") {
            return quality;
        }
        if item == "*" {
            others = quality;
        }
    }
    others
}

/// Compresses bodies for clients that accept it. The entity tag of a body names its encoding.
pub async fn compress<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, ActixError> {
    let response = next.call(request).await?.map_into_boxed_body();
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) if is_text(response.headers()) => bytes,
        Ok(bytes) => {
            let response = response.set_body(BoxBody::new(bytes));
            return Ok(ServiceResponse::new(request, response));
        }
        Err(body) => return Ok(ServiceResponse::new(request, response.set_body(body))),
    };
    let vary = HeaderValue::from_static("Accept-Encoding");
    response.headers_mut().append(header::VARY, vary);
    let body = match Encoding::of(request.headers(), body.len()) {
        None => body,
        Some(encoding) => {
            mark(response.headers_mut(), encoding);
            match encoded(encoding, body).await {
                Ok(body) => body,
                Err(error) => {
                    let fault = HttpResponse::from_error(Error::internal(&error));
                    return Ok(ServiceResponse::new(request, fault));
                }
            }
        }
    };
    let response = response.set_body(BoxBody::new(body));
    Ok(ServiceResponse::new(request, response))
}

async fn encoded(encoding: Encoding, body: Bytes) -> Result<Bytes, ActixError> {
    let encoded = if body.len() < LARGE {
        encoding.encode(&body)?
    } else {
        web::block(move || encoding.encode(&body)).await??
    };
    Ok(encoded.into())
}

/// Sets the headers for the encoding.
fn mark(headers: &mut HeaderMap, encoding: Encoding) {
    let name = HeaderValue::from_static(encoding.name());
    headers.insert(header::CONTENT_ENCODING, name);
    let tag = headers
        .get(header::ETAG)
        .and_then(|tag| HeaderValue::from_str(&tagged(tag.to_str().ok()?, encoding)).ok());
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
}

/// The tag of an encoded body: the body's tag with the encoding's name.
pub fn tagged(tag: &str, encoding: Encoding) -> String {
    format!("{}-{}\"", tag.trim_end_matches('"'), encoding.name())
}

/// Whether the body is text that is not compressed yet.
fn is_text(headers: &HeaderMap) -> bool {
    const KINDS: [&str; 7] = [
        "application/json",
        "application/vnd.oai.openapi",
        "application/x-yaml",
        "application/yaml",
        "application/javascript",
        "image/svg",
        "text/",
    ];
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    !headers.contains_key(header::CONTENT_ENCODING)
        && KINDS.iter().any(|known| kind.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str, length: usize) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        let accept = HeaderValue::from_str(accept).unwrap();
        headers.insert(header::ACCEPT_ENCODING, accept);
        Encoding::of(&headers, length).map(Encoding::name)
    }

    #[test]
    fn the_client_chooses_and_the_quickest_is_taken_of_equals() {
        for (accept, expected) in [
            ("gzip", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("gzip, br", Some("br")),
            ("gzip;q=0.9, br;q=0.8", Some("gzip")),
            ("br;q=0, *", Some("zstd")),
            ("*;q=0", None),
            ("zstd;q=0,gzip;q=0.001", Some("gzip")),
            ("identity", None),
            ("deflate", None),
            ("", None),
            ("gzip;q=nonsense", Some("gzip")),
        ] {
            assert_eq!(chosen(accept, 2_000), expected, "{accept}");
        }
        assert_eq!(chosen("gzip", 1_024), None);
        assert_eq!(chosen("gzip", 1_025), Some("gzip"));
    }

    #[test]
    fn a_tag_tells_the_encoding() {
        assert_eq!(tagged("\"abc\"", Encoding::Brotli), "\"abc-br\"");
    }
}
