//! Absolute URLs, and the addresses of those who ask for them. What a proxy says of either counts if the proxy is trusted.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use actix_web::{
    HttpRequest,
    http::{
        header::{self, HeaderMap, HeaderName},
        uri::Authority,
    },
    web::Data,
};
use ipnet::IpNet;

use crate::{error::Error, wire::Connection};

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
        self.walk(peer, headers).0
    }

    /// The client of a request, and how many such proxies have written down whom they had it from.
    fn walk(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, usize) {
        let (mut client, mut proxies) = (peer, 0);
        for address in backward(headers, &X_FORWARDED_FOR) {
            if !self.trusts(client) {
                break;
            }
            // What is no address hides who is behind the proxy that wrote it down.
            let Some(address) = address_of(address) else {
                break;
            };
            client = address;
            proxies += 1;
        }
        (client, proxies)
    }

    /// Whether the client speaks https, as such proxies say: each of them adds to `X-Forwarded-Proto` what it was spoken to in, or
    /// passes on what the first has said.
    fn are_spoken_to_in_https(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        let (_, proxies) = self.walk(peer, headers);
        let schemes = backward(headers, &X_FORWARDED_PROTO).take(proxies.max(1));
        self.trusts(peer)
            && schemes
                .last()
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
    }
}

/// The items of a list header, the last one first.
fn backward<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'a str> + use<'a> {
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

/// The hosts that the server is asked for. With none of them it may be any.
#[derive(Debug, Clone, Default)]
pub struct Hosts(pub Vec<String>);

impl Hosts {
    /// Whether one of them is meant: by its name, as a domain with its subdomains (`.example.com`), or as any (`*`).
    fn allow(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.');
        self.0.is_empty()
            || self
                .0
                .iter()
                .any(|allowed| match allowed.strip_prefix('.') {
                    Some(domain) => {
                        let start = name.len().checked_sub(domain.len());
                        start.is_some_and(|start| {
                            let is_end = name
                                .get(start..)
                                .is_some_and(|end| end.eq_ignore_ascii_case(domain));
                            is_end && (start == 0 || name[..start].ends_with('.'))
                        })
                    }
                    None => allowed == "*" || allowed.eq_ignore_ascii_case(name),
                })
    }
}

/// Whether a text is a host, with or without a port: nothing that could be taken for another part of a URL.
pub fn is_host(text: &str) -> bool {
    let name = without_port(text);
    let rest = &text[name.len()..];
    let is_name = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        // A full name may end with a dot.
        None => name
            .strip_suffix('.')
            .unwrap_or(name)
            .split('.')
            .all(|label| {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
                !label.is_empty() && label.bytes().all(fits)
            }),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    is_name && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn without_port(host: &str) -> &str {
    let end = match host.find(']') {
        Some(end) => end + 1,
        None => host.find(':').unwrap_or(host.len()),
    };
    &host[..end]
}

/// Looks at the host that a request is for, before it gets into any URL.
///
/// # Errors
/// 400 when it is none, or none of those that are allowed.
pub fn check_host(request: &HttpRequest, allowed: &Hosts) -> Result<(), Error> {
    // A header that is no text is no host.
    let host = match request.headers().get(header::HOST) {
        Some(host) => host.to_str().unwrap_or("?"),
        None => "",
    };
    let host = if host.is_empty() {
        host_of(request)
    } else {
        Cow::Borrowed(host)
    };
    if is_host(&host) && allowed.allow(&host) {
        Ok(())
    } else {
        Err(Error::InvalidHost)
    }
}

/// The host that the client itself used, as far as its `Host` header tells it.
fn host_of(request: &HttpRequest) -> Cow<'_, str> {
    let header = request.headers().get(header::HOST);
    let host = header.and_then(|host| host.to_str().ok());
    let authority = request.uri().authority().map(Authority::as_str);
    if let Some(host) = host.filter(|host| !host.is_empty()).or(authority) {
        return host.into();
    }
    // An old client says nothing. The address that it has reached is one that it can reach.
    let connection = request.conn_data::<Connection>();
    let local = connection.and_then(Connection::local);
    local.map_or(Cow::Borrowed("localhost"), |local| local.to_string().into())
}

/// The address that the client itself used.
pub fn origin(request: &HttpRequest) -> String {
    let proxies = request.app_data::<Data<Proxies>>();
    let is_https = proxies
        .is_some_and(|proxies| proxies.are_spoken_to_in_https(peer(request), request.headers()));
    // The server itself speaks plain HTTP.
    let scheme = if is_https { "https" } else { "http" };
    format!("{scheme}://{}", host_of(request))
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

    #[test]
    fn the_scheme_is_the_one_that_the_first_trusted_proxy_was_spoken_to_in() {
        for (peer, addresses, schemes, is_https) in [
            ("10.0.0.1", "198.51.100.7", "https", true),
            ("10.0.0.1", "198.51.100.7", "http", false),
            ("10.0.0.1", "", "HTTPS", true),
            ("10.0.0.1", "198.51.100.7, 10.1.1.1", "https,http", true),
            ("10.0.0.1", "198.51.100.7, 10.1.1.1", "http, https", false),
            // The second passes on what the first has said.
            ("10.0.0.1", "198.51.100.7, 10.1.1.1", "https", true),
            // The client says something too.
            ("10.0.0.1", "198.51.100.7", "https, http", false),
            ("10.0.0.1", "10.1.1.1, 198.51.100.7", "https, http", false),
            ("192.0.2.1", "198.51.100.7", "https", false),
        ] {
            let networks = Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
            let mut headers = HeaderMap::new();
            if !addresses.is_empty() {
                headers.append(X_FORWARDED_FOR, HeaderValue::from_str(addresses).unwrap());
            }
            headers.append(X_FORWARDED_PROTO, HeaderValue::from_str(schemes).unwrap());
            let said = networks.are_spoken_to_in_https(peer.parse().unwrap(), &headers);
            assert_eq!(said, is_https, "{peer} {addresses} {schemes}");
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "x",
            "example.com",
            "EXAMPLE.com.",
            "my_app:8000",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_host(host), "{host}");
        }
        for other in [
            "",
            ":80",
            "x:",
            "x:http",
            "x:99999",
            "x:+1",
            "evil.com/x?y#",
            "a@b",
            "a b",
            "a,b",
            "::1",
            "[x]",
            "[::1",
            "x\\y",
            ".",
            "..",
            "a..b",
            ".a",
            "[::1]x",
            "münchen",
        ] {
            assert!(!is_host(other), "{other}");
        }
    }

    #[test]
    fn hosts_are_allowed_by_name_by_domain_or_all() {
        let allows = |allowed: &str, host: &str| Hosts(vec![allowed.to_owned()]).allow(host);
        for (allowed, host) in [
            ("example.com", "EXAMPLE.com:80"),
            ("example.com", "example.com."),
            (".example.com", "example.com"),
            (".example.com", "a.b.example.com:1"),
            ("[::1]", "[::1]:80"),
            ("*", "x"),
        ] {
            assert!(allows(allowed, host), "{allowed} {host}");
        }
        for (allowed, host) in [
            ("example.com", "www.example.com"),
            (".example.com", "badexample.com"),
            (".example.com", "com"),
            (".ü", "aü"),
        ] {
            assert!(!allows(allowed, host), "{allowed} {host}");
        }
        assert!(Hosts::default().allow("x"));
    }
}
