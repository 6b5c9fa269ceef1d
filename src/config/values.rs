//! How the values of settings are written.

use std::time::Duration;

use ipnet::IpNet;

use crate::{limits::Rate, middleware::Origin, urls};

/// Reads a time such as `10s`, `5m`, `1d` or `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let unit = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("a time is a number and its unit, such as 10s, 5m or 1d".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a time begins with a whole number".to_owned())?;
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(|| "that is too long".to_owned())
}

/// A time that something lasts for, so not none.
pub fn lifetime(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.is_zero() {
        return Err("that is no time at all".to_owned());
    }
    Ok(time)
}

/// A time that something may last for; none when it may last for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited(pub Option<Duration>);

/// Reads a time, or `off`.
pub fn limit(text: &str) -> Result<Limited, String> {
    if text == "off" {
        return Ok(Limited(None));
    }
    lifetime(text).map(|time| Limited(Some(time)))
}

/// Reads a number of bytes such as `1MiB`, `512KiB` or `4096`.
pub fn size(text: &str) -> Result<usize, String> {
    let unit = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let bytes: usize = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("a size is a number of bytes, or one with KiB, MiB or GiB".to_owned()),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(bytes))
        .ok_or_else(|| "a size begins with a whole number".to_owned())
}

/// Reads a rate such as `100/minute` or `5/second`, or `off`.
pub fn rate(text: &str) -> Result<Rate, String> {
    const SHAPE: &str = "a rate is a number and its time, such as 100/minute or 5/second, or off";
    if text == "off" {
        return Ok(Rate::Off);
    }
    let (number, unit) = text.split_once('/').ok_or(SHAPE)?;
    let seconds = match unit {
        "s" | "sec" | "second" => 1,
        "m" | "min" | "minute" => 60,
        "h" | "hour" => 3_600,
        "d" | "day" => 86_400,
        _ => return Err(SHAPE.to_owned()),
    };
    match number.parse() {
        Ok(0) => Err("a rate lets at least one through".to_owned()),
        Ok(requests) => Ok(Rate::Of {
            requests,
            window: Duration::from_secs(seconds),
        }),
        Err(_) => Err(SHAPE.to_owned()),
    }
}

/// Reads an address, or a network such as `10.0.0.0/8`.
pub fn network(text: &str) -> Result<IpNet, String> {
    let address = text
        .parse()
        .map(|address: std::net::IpAddr| IpNet::from(address));
    address.or_else(|_| text.parse()).map_err(|_| {
        "a proxy is an address, or a network such as 10.0.0.0/8 or fd00::/8".to_owned()
    })
}

/// Reads a host without its port, a domain with its subdomains (`.example.com`), or `*`.
pub fn host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix('.').unwrap_or(text);
    let has_port = name
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    if text == "*" || (urls::is_host(name) && !has_port) {
        Ok(text.to_owned())
    } else {
        Err("a host is a name or an address without a port, .example.com, or *".to_owned())
    }
}

/// Reads an origin as browsers write it, such as `https://example.com` or `http://localhost:3000`; or `*`.
pub fn origin(text: &str) -> Result<Origin, String> {
    if text == "*" {
        return Ok(Origin::Any);
    }
    let uri = text.parse::<actix_web::http::Uri>().ok();
    let parts = uri
        .as_ref()
        .and_then(|uri| uri.scheme().zip(uri.authority()));
    match parts {
        // Only what browsers send can match: no path, no user, all in small letters.
        Some((scheme, authority)) if text == format!("{scheme}://{authority}").to_lowercase() => {
            Ok(Origin::This(text.to_owned()))
        }
        _ => Err("an origin is a scheme and a host, such as https://example.com, or *".to_owned()),
    }
}
