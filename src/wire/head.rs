//! The head of a request: where the body ends, and what has to be changed before actix reads it.

use std::mem::MaybeUninit;

use actix_web::http::{Method, Uri};
use httparse::{Error, Header, Request, Status};

use super::Refusal::{self, Malformed};

/// Bytes of a URL at most: those that the `http` crate takes.
pub const URL_MAX: usize = 65_534;
/// Bytes of a head at most. actix itself ends at 128 KiB.
pub const HEAD_MAX: usize = 96 * 1_024;
/// Fields of a head at most: as many as actix takes.
const FIELDS_MAX: usize = 96;

/// How a request's body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    None,
    Length(u64),
    Chunked,
}

/// A head as it is to be passed on.
#[derive(Debug, PartialEq, Eq)]
pub struct Judged {
    /// What is passed on in its place; `None` when it may pass as it is.
    pub changed: Option<Vec<u8>>,
    pub body: Body,
    /// The client wants no other request answered on this connection.
    pub is_last: bool,
}

/// What the fields of a head say that matters here.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Fields {
    length: Option<u64>,
    is_chunked: bool,
    has_host: bool,
    offers_upgrade: bool,
    closes: bool,
}

/// Judges a whole head, from its first byte to its empty line.
pub fn judge(head: &[u8]) -> Result<Judged, Refusal> {
    match ascii(head)? {
        Some(ascii) => {
            let judged = judge_ascii(&ascii)?;
            let mut judged = judged;
            let changed = judged.changed.take().unwrap_or(ascii);
            if changed.len() > HEAD_MAX {
                return Err(Refusal::HeadTooLarge);
            }
            Ok(Judged {
                changed: Some(changed),
                ..judged
            })
        }
        None => judge_ascii(head),
    }
}

/// Characters that clients leave as they are in a query, though no URL may have them.
const UNENCODED: &[u8] = b"<>\"";

/// The head with everything percent-encoded in its first line, behind the method, that is not ASCII or may not be there as it is;
/// `None` when nothing is.
fn ascii(head: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let end = head.iter().position(|byte| *byte == b'\n');
    let (line, fields) = head.split_at(end.unwrap_or(head.len()));
    let is_plain = |byte: &u8| byte.is_ascii() && !UNENCODED.contains(byte);
    if line.iter().all(is_plain) {
        return Ok(None);
    }
    if std::str::from_utf8(line).is_err() {
        return Err(Malformed("The URL is not UTF-8."));
    }
    let method = line.iter().take_while(|byte| **byte != b' ').count();
    let (method, target) = line.split_at(method);
    let mut ascii = method.to_vec();
    for byte in target {
        if is_plain(byte) {
            ascii.push(*byte);
        } else {
            ascii.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    ascii.extend_from_slice(fields);
    Ok(Some(ascii))
}

fn judge_ascii(head: &[u8]) -> Result<Judged, Refusal> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut request = Request::new(&mut []);
    let status = request.parse_with_uninit_headers(head, &mut fields);
    match status.map_err(refusal)? {
        Status::Complete(length) if length == head.len() => {}
        _ => return Err(Malformed("The head has no end.")),
    }
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Malformed("The request line is incomplete."));
    };
    if target.len() > URL_MAX {
        return Err(Refusal::UrlTooLong);
    }
    if Method::from_bytes(method.as_bytes()).is_err() {
        return Err(Malformed("The method is no token."));
    }
    if method == "CONNECT" {
        return Err(Refusal::Connect);
    }
    if Uri::try_from(target).is_err() {
        return Err(Malformed("The URL is malformed."));
    }
    let is_old = version == 0;
    let fields = read(request.headers, is_old)?;
    if !is_old && !fields.has_host {
        return Err(Malformed("There is no Host."));
    }
    let body = match (fields.is_chunked, fields.length) {
        (true, Some(_)) => {
            return Err(Malformed(
                "Both Content-Length and Transfer-Encoding are there.",
            ));
        }
        (true, None) => Body::Chunked,
        (false, None) if is_old && method == "POST" => {
            return Err(Malformed("There is no Content-Length."));
        }
        (false, None | Some(0)) => Body::None,
        (false, Some(length)) => Body::Length(length),
    };
    let changed = fields
        .offers_upgrade
        .then(|| without_offer(method, target, version, request.headers));
    Ok(Judged {
        changed,
        body,
        is_last: fields.closes,
    })
}

/// Reads what the fields say, and refuses what could be read in two ways.
fn read(fields: &[Header<'_>], is_old: bool) -> Result<Fields, Refusal> {
    let mut read = Fields::default();
    for Header { name, value } in fields {
        if name.eq_ignore_ascii_case("host") {
            if std::mem::replace(&mut read.has_host, true) {
                return Err(Malformed("There are several Hosts."));
            }
        } else if name.eq_ignore_ascii_case("content-length") {
            let length = length(value).ok_or(Malformed("The Content-Length is no number."))?;
            if read.length.replace(length).is_some() {
                return Err(Malformed("There are several Content-Lengths."));
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if is_old || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed("The Transfer-Encoding is not \"chunked\"."));
            }
            if std::mem::replace(&mut read.is_chunked, true) {
                return Err(Malformed("There are several Transfer-Encodings."));
            }
        } else if is_offer(name) {
            read.offers_upgrade = true;
        } else if name.eq_ignore_ascii_case("connection") {
            read.offers_upgrade |= options(value).any(is_offer);
            read.closes |= options(value).any(|option| option.eq_ignore_ascii_case("close"));
        }
    }
    Ok(read)
}

/// A number of bytes, of nothing but digits.
fn length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The items of a `Connection` field.
fn options(value: &[u8]) -> impl Iterator<Item = &str> {
    let items = value.split(|byte| *byte == b',');
    // An option is a token, so ASCII.
    items.map(|item| std::str::from_utf8(item.trim_ascii()).unwrap_or_default())
}

/// Whether a field or an option of `Connection` is there only to offer another protocol.
fn is_offer(name: &str) -> bool {
    name.eq_ignore_ascii_case("upgrade") || name.eq_ignore_ascii_case("http2-settings")
}

/// The head without the offer of another protocol (RFC 9110, section 7.8: a server may pass over it).
fn without_offer(method: &str, target: &str, version: u8, fields: &[Header<'_>]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.{version}\r\n").into_bytes();
    for Header { name, value } in fields.iter().filter(|field| !is_offer(field.name)) {
        if name.eq_ignore_ascii_case("connection") {
            let kept = options(value).filter(|option| !is_offer(option));
            let kept = kept.collect::<Vec<_>>().join(", ");
            write(&mut head, name, kept.as_bytes());
        } else {
            write(&mut head, name, value);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn write(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    if !value.is_empty() || !name.eq_ignore_ascii_case("connection") {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
}

/// Why `httparse` does not take a head.
fn refusal(error: Error) -> Refusal {
    Malformed(match error {
        Error::TooManyHeaders => return Refusal::HeadTooLarge,
        Error::Version => "The version of HTTP is none that is spoken here.",
        Error::HeaderName => "The name of a header is malformed.",
        Error::HeaderValue => "The value of a header is malformed.",
        _ => "The request line or a line break is malformed.",
    })
}

/// What is passed on in the place of a request that is refused: one that matches no route, ends the connection, and keeps what tells whose it is.
pub fn stand_in(head: &[u8]) -> Vec<u8> {
    const KEPT: [&str; 2] = ["x-forwarded-for", "x-request-id"];
    let mut stand_in = b"- * HTTP/1.1\r\nhost:\r\nconnection: close\r\n".to_vec();
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let end = head.iter().position(|byte| *byte == b'\n');
    let fields = end.map(|end| httparse::parse_headers(&head[end + 1..], &mut fields));
    if let Some(Ok(Status::Complete((_, fields)))) = fields {
        for Header { name, value } in fields {
            if KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept)) {
                write(&mut stand_in, name, value);
            }
        }
    }
    stand_in.extend_from_slice(b"\r\n");
    stand_in
}
