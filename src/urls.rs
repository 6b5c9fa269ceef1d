//! Absolute URLs, and the addresses of those who ask for them. What a proxy says of either counts if the proxy is trusted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderMap, HeaderName},
    web::Data,
};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies whose word about a client is taken.
#[derive(Debug, Clone, Default)]
pub struct Proxies(pub Vec<IpNet>);

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that came from `peer`: the last address in `X-Forwarded-For` that is no such proxy's. Whatever stands
    /// before it was written by the client and may say anything.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for address in backward(headers, &X_FORWARDED_FOR) {
            if !self.trusts(client) {
                break;
            }
            // What is no address hides who is behind the proxy that wrote it down.
            let Some(address) = address_of(address) else {
                break;
            };
            client = address;
        }
        client
    }
}

/// The items of a list header, the last one first.
fn backward<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values: Vec<_> = headers.get_all(name).collect();
    let values = values.into_iter().rev();
    values.flat_map(|value| {
        value
            .to_str()
            .unwrap_or_default()
            .rsplit(',')
            .map(str::trim)
    })
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse().ok();
    address
        .or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

fn peer(request: &HttpRequest) -> IpAddr {
    // Only what does not come over a socket has none.
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

/// The client's address.
pub fn client_address(request: &HttpRequest) -> IpAddr {
    let peer = peer(request);
    match request.app_data::<Data<Proxies>>() {
        Some(proxies) => proxies.client(peer, request.headers()),
        None => peer,
    }
}

/// The address that the client itself used, as far as its `Host` header tells it.
pub fn origin(request: &HttpRequest) -> String {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.is_empty())
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(actix_web::http::uri::Authority::as_str)
        })
        .unwrap_or_else(|| request.app_config().host());
    format!("{}://{host}", scheme(request))
}

/// `https` when a trusted proxy says so: the server itself speaks plain HTTP.
fn scheme(request: &HttpRequest) -> &'static str {
    let trusted = request
        .app_data::<Data<Proxies>>()
        .is_some_and(|proxies| proxies.trusts(peer(request)));
    match backward(request.headers(), &X_FORWARDED_PROTO).next() {
        Some(scheme) if trusted && scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    }
}

/// The request's own URL without the query, in the canonical form, with a trailing slash.
pub fn canonical(request: &HttpRequest) -> String {
    format!(
        "{}{}/",
        origin(request),
        request.path().trim_end_matches('/')
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let peer = peer.parse().unwrap();
        Proxies(networks.into()).client(peer, &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_the_list_is_read_from_the_right() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["198.51.100.7"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            (
                "10.0.0.1",
                &["203.0.113.9, 198.51.100.7, 10.1.1.1"],
                "198.51.100.7",
            ),
            (
                "10.0.0.1",
                &["203.0.113.9", "198.51.100.7", "10.1.1.1"],
                "198.51.100.7",
            ),
            ("10.0.0.1", &["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
            ("10.0.0.1", &["203.0.113.9, unknown, 10.1.1.1"], "10.1.1.1"),
            ("10.0.0.1", &["203.0.113.9, "], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("2001:db8:1::1", &["[2001:db8:2::2]:4711"], "2001:db8:2::2"),
            ("2001:db8:1::1", &["[2001:db8:2::2]"], "2001:db8:2::2"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
        ] {
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }
}
