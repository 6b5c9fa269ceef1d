//! Where one request ends and the next begins.

use super::{
    Refusal::{self, Malformed},
    chunked::{Chunked, Piece},
    head::{self, Body, HEAD_MAX},
};

/// The shortest request line begins with so many bytes that are no line break.
const SHORTEST: usize = 8;

/// How far the requests of a connection have come.
#[derive(Debug, Default)]
pub struct Framing {
    place: Place,
    /// Bytes of a head in which no end was found.
    searched: usize,
    /// The request that has come last is the last one that is answered.
    is_last: bool,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Head,
    Length(u64),
    Chunked(Chunked),
}

/// What is to be done with the next bytes of a connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes are a head that may pass as it is.
    Head(usize),
    /// So many bytes are a head that is passed on in another form.
    Change(usize, Vec<u8>),
    /// So many bytes are of a body, and pass.
    Body(usize),
    /// So many bytes are nothing: line breaks in front of a request.
    Skip(usize),
    /// There are too few of them to say.
    Wait,
    /// The head is refused, and whatever is behind it cannot be told apart.
    Refuse(Refusal),
    /// The body is broken, and its end cannot be told.
    Break,
    /// The client has said that the request before is its last one (RFC 9112, section 9.6): nothing else passes.
    Over,
}

impl Framing {
    /// Whether a body has begun and not ended.
    pub fn is_in_body(&self) -> bool {
        !matches!(self.place, Place::Head)
    }

    /// Looks at what is to come. What is returned counts as done, except that [`Step::Wait`] wants to see the same bytes again, and more.
    pub fn step(&mut self, input: &[u8]) -> Step {
        if input.is_empty() {
            return Step::Wait;
        }
        match &mut self.place {
            Place::Head if self.is_last => Step::Over,
            Place::Head => self.head(input),
            Place::Length(rest) => {
                let length = usize::try_from(*rest)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                // A usize is no longer than 64 bits.
                *rest -= length as u64;
                if *rest == 0 {
                    self.place = Place::Head;
                }
                Step::Body(length)
            }
            Place::Chunked(chunked) => match chunked.next(input) {
                Piece::Some(length) => Step::Body(length),
                Piece::Last(length) => {
                    self.place = Place::Head;
                    Step::Body(length)
                }
                Piece::Incomplete => Step::Wait,
                Piece::Broken => Step::Break,
            },
        }
    }

    fn head(&mut self, input: &[u8]) -> Step {
        // RFC 9112, section 2.2: some clients send a line break too many behind a body.
        let blank = input
            .iter()
            .take_while(|byte| b"\r\n".contains(byte))
            .count();
        if blank > 0 {
            return Step::Skip(blank);
        }
        // What is no HTTP at all need not be waited for.
        if input.iter().take(SHORTEST).any(u8::is_ascii_control) {
            return Step::Refuse(Malformed("This is not HTTP."));
        }
        let within = &input[..input.len().min(HEAD_MAX)];
        let Some(end) = end(within, self.searched) else {
            self.searched = within.len();
            return match (within.len() == HEAD_MAX, within.contains(&b'\n')) {
                (false, _) => Step::Wait,
                (true, true) => Step::Refuse(Refusal::HeadTooLarge),
                (true, false) => Step::Refuse(Refusal::UrlTooLong),
            };
        };
        self.searched = 0;
        match head::judge(&input[..end]) {
            Ok(judged) => {
                self.is_last = judged.is_last;
                self.place = match judged.body {
                    Body::None => Place::Head,
                    Body::Length(length) => Place::Length(length),
                    Body::Chunked => Place::Chunked(Chunked::default()),
                };
                match judged.changed {
                    Some(changed) => Step::Change(end, changed),
                    None => Step::Head(end),
                }
            }
            Err(refusal) => Step::Refuse(refusal),
        }
    }
}

/// Where the head ends: behind the first empty line. In its first `searched` bytes there was none.
fn end(head: &[u8], searched: usize) -> Option<usize> {
    // The line break that was found last may be the one in front of the empty line.
    let from = searched.saturating_sub(2);
    let breaks = head[from..]
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    breaks
        .map(|(at, _)| from + at + 1)
        .find_map(|behind| match &head[behind..] {
            [b'\n', ..] => Some(behind + 1),
            [b'\r', b'\n', ..] => Some(behind + 2),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use actix_codec::Decoder as _;
    use actix_http::h1::{Codec, Message};
    use actix_web::web::BytesMut;
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    /// How a connection went: what passed, and why nothing more did.
    #[derive(Debug, PartialEq, Eq)]
    struct Went {
        passed: Vec<u8>,
        heads: usize,
        bodies: usize,
        end: Option<Step>,
    }

    /// What passes of bytes that come in these pieces.
    fn went<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Went {
        let (mut framing, mut held) = (Framing::default(), Vec::new());
        let mut went = Went {
            passed: Vec::new(),
            heads: 0,
            bodies: 0,
            end: None,
        };
        for piece in pieces {
            held.extend_from_slice(piece);
            loop {
                match framing.step(&held) {
                    Step::Head(length) => {
                        went.heads += 1;
                        went.passed.extend(held.drain(..length));
                    }
                    Step::Body(length) => {
                        went.bodies += length;
                        went.passed.extend(held.drain(..length));
                    }
                    Step::Change(length, changed) => {
                        held.drain(..length);
                        went.heads += 1;
                        went.passed.extend(changed);
                    }
                    Step::Skip(length) => drop(held.drain(..length)),
                    Step::Wait => break,
                    end @ (Step::Refuse(_) | Step::Break | Step::Over) => {
                        went.end = Some(end);
                        return went;
                    }
                }
            }
        }
        went
    }

    fn at_once(bytes: &[u8]) -> Went {
        went([bytes])
    }

    /// How many requests actix reads in these bytes; `None` when it refuses any of them.
    fn read_by_actix(bytes: &[u8]) -> Option<usize> {
        let (mut codec, mut rest) = (Codec::default(), BytesMut::from(bytes));
        let mut requests = 0;
        while let Some(message) = codec.decode(&mut rest).ok()? {
            requests += usize::from(matches!(message, Message::Item(_)));
        }
        Some(requests)
    }

    /// A head with these fields.
    fn head(line: &str, fields: &str) -> Vec<u8> {
        format!("{line} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
    }

    fn a_request() -> impl Strategy<Value = Vec<u8>> {
        let plain = select(vec![
            "GET /api/ HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /api/?search=a%20b HTTP/1.1\nHost: x\n\n",
            "OPTIONS * HTTP/1.1\r\nhost:\r\nConnection: keep-alive\r\n\r\n",
            "HEAD http://x/y HTTP/1.0\r\n\r\n",
            "GET /api/ HTTP/1.1\r\nHost: x\r\nX: \u{e9}\r\n\r\n",
            "POST /api/token/ HTTP/1.1\r\nHost: x\r\ncontent-length: 0\r\n\r\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec());
        let sized = vec(any::<u8>(), 1..200).prop_map(|body| {
            let length = format!("Content-Length: {}\r\n", body.len());
            [head("POST /", &length), body].concat()
        });
        let chunked = (
            vec(vec(any::<u8>(), 1..50), 0..5),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(chunks, extended, trailed)| {
                let mut request = head("PUT /", "Transfer-Encoding: chunked\r\n");
                for chunk in chunks {
                    let extension = if extended { ";a=\"b\"" } else { "" };
                    request.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
                    request.extend(chunk);
                    request.extend(b"\r\n");
                }
                let trailer = if trailed { "Expires: never\r\n" } else { "" };
                request.extend(format!("0\r\n{trailer}\r\n").bytes());
                request
            });
        prop_oneof![plain, sized, chunked]
    }

    /// Requests, and what is none among them.
    fn anything() -> impl Strategy<Value = Vec<u8>> {
        let odd = select(vec![
            head("GET /?search=m\u{fc}nchen", ""),
            head("GET /", "Connection: Upgrade, close\r\nUpgrade: h2c\r\n"),
            head("GET /", "Content-Length: 1\r\nContent-Length: 1\r\n"),
            head(
                "POST /",
                "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            ),
            head("POST /", "Transfer-Encoding: chunked\r\n"),
            b"\r\n\r\n".to_vec(),
            b"\n".to_vec(),
            b"5\r\nhello\r\n0\r\n\r\n".to_vec(),
            b"\x16\x03\x01".to_vec(),
        ]);
        let noise = vec(any::<u8>(), 0..30);
        let parts = prop_oneof![4 => a_request(), 2 => odd, 1 => noise];
        vec(parts, 0..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn requests_that_need_no_change_pass_byte_for_byte(requests in vec(a_request(), 0..6)) {
            let bytes = requests.concat();
            let went = at_once(&bytes);
            prop_assert_eq!(went.end, None);
            prop_assert_eq!(went.passed, bytes);
        }

        #[test]
        fn how_the_bytes_are_split_makes_no_difference(bytes in anything(), sizes in vec(1..40_usize, 1..20)) {
            let mut rest = bytes.as_slice();
            let mut pieces = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, behind) = rest.split_at(rest.len().min(*size));
                pieces.push(piece);
                rest = behind;
            }
            prop_assert_eq!(went(pieces), at_once(&bytes));
        }

        // Were it otherwise, somebody could hide a request in what passes for a body here, or the reverse.
        #[test]
        fn actix_reads_what_passes_as_it_was_judged(bytes in anything()) {
            let went = at_once(&bytes);
            let read = actix_web::rt::System::new().block_on(async { read_by_actix(&went.passed) });
            prop_assert_eq!(read, Some(went.heads));
        }
    }

    #[test]
    fn a_url_that_is_not_ascii_is_taken_as_utf_8() {
        for (sent, passed) in [
            ("/?search=münchen", "/?search=m%C3%BCnchen"),
            ("/é/?q=日本", "/%C3%A9/?q=%E6%97%A5%E6%9C%AC"),
        ] {
            let went = at_once(&head(&format!("GET {sent}"), ""));
            assert_eq!(went.passed, head(&format!("GET {passed}"), ""));
        }
        let latin = [
            b"GET /?q=m\xfcnchen".as_slice(),
            b" HTTP/1.1\r\nHost: x\r\n\r\n",
        ]
        .concat();
        let refused = Malformed("The URL is not UTF-8.");
        assert_eq!(at_once(&latin).end, Some(Step::Refuse(refused)));
    }

    #[test]
    fn an_offer_to_upgrade_is_left_out_and_nothing_else() {
        for (sent, passed) in [
            (
                "Connection: upgrade\r\nUpgrade: websocket\r\nA: b\r\n",
                "A: b\r\n",
            ),
            ("A: b\r\nConnection: Upgrade\r\n", "A: b\r\n"),
            ("Upgrade: h2c\r\n", ""),
            (
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n",
                "",
            ),
            ("Connection: close, upgrade\r\n", "Connection: close\r\n"),
            ("Connection: keep-alive\r\n", "Connection: keep-alive\r\n"),
        ] {
            assert_eq!(
                at_once(&head("GET /", sent)).passed,
                head("GET /", passed),
                "{sent}"
            );
        }
        // With a body, which websockets have not: it stays a body.
        let fields = "Upgrade: websocket\r\nContent-Length: 3\r\n";
        let request = [head("POST /", fields).as_slice(), b"abcGET"].concat();
        let went = at_once(&request);
        assert_eq!((went.bodies, went.end), (3, None));
    }

    #[test]
    fn what_could_be_framed_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding : chunked\r\n",
            " Transfer-Encoding: chunked\r\n",
            "Host: y\r\n",
            "A: b\rContent-Length: 3\r\n",
            "A: b\0\r\n",
        ] {
            let end = at_once(&head("POST /", fields)).end;
            assert!(
                matches!(end, Some(Step::Refuse(Malformed(_)))),
                "{fields:?}: {end:?}"
            );
        }
        let old = b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(at_once(old).end.is_some());
    }

    #[test]
    fn a_head_is_bounded() {
        let bytes = |count| "a".repeat(count);
        for (request, refusal) in [
            (
                head(&format!("GET /{}", bytes(70_000)), ""),
                Refusal::UrlTooLong,
            ),
            (
                head(&format!("GET /{}", bytes(200_000)), ""),
                Refusal::UrlTooLong,
            ),
            (
                head("GET /", &format!("A: {}\r\n", bytes(200_000))),
                Refusal::HeadTooLarge,
            ),
            (head("GET /", &"A: b\r\n".repeat(96)), Refusal::HeadTooLarge),
            (
                head(&format!("GET /{}", "é".repeat(30_000)), ""),
                Refusal::UrlTooLong,
            ),
            (head("CONNECT x:443", ""), Refusal::Connect),
        ] {
            assert_eq!(at_once(&request).end, Some(Step::Refuse(refusal)));
        }
        let most = head(&format!("GET /{}", bytes(65_000)), &"A: b\r\n".repeat(95));
        assert_eq!(at_once(&most).end, None);
    }

    #[test]
    fn chunks_are_bounded_and_strict() {
        let begun = head("POST /", "Transfer-Encoding: chunked\r\n");
        let body = |body: &str| at_once(&[&begun, body.as_bytes()].concat()).end;
        for broken in [
            "zz\r\n",
            "-1\r\n",
            "\r\n",
            "5\nhello\r\n",
            "5\r\nhelloX",
            "5\r\nhello\n0\r\n\r\n",
            "10000000000000000\r\n",
            "5 5\r\nhello\r\n",
            "5;a\rb\r\n",
            "0\r\nA: b\nC: d\r\n\r\n",
            &format!("5;{}", "a".repeat(5_000)),
            &format!("0\r\nA: {}", "a".repeat(5_000)),
            &format!("0\r\n{}", "A: b\r\n".repeat(3_000)),
            &format!("1;{}\r\nx\r\n", "a".repeat(3_000)).repeat(10),
        ] {
            let shown = &broken[..broken.len().min(40)];
            assert_eq!(body(broken), Some(Step::Break), "{shown:?}");
        }
        assert_eq!(body(&"1\r\nx\r\n".repeat(100_000)), None);
    }
}
