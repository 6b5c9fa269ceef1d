//! Absolute URLs, and the addresses of those who ask for them.

use actix_web::HttpRequest;

/// The address that the client itself used, as far as its `Host` header tells it. Forwarding headers have no say.
pub fn origin(request: &HttpRequest) -> String {
    let host = request
        .headers()
        .get("host")
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.is_empty())
        .or_else(|| {
            request
                .uri()
                .authority()
                .map(actix_web::http::uri::Authority::as_str)
        })
        .unwrap_or_else(|| request.app_config().host());
    format!("http://{host}")
}

/// The request's own URL without the query, in the canonical form, with a trailing slash.
pub fn canonical(request: &HttpRequest) -> String {
    format!(
        "{}{}/",
        origin(request),
        request.path().trim_end_matches('/')
    )
}

/// The client's address: the socket's. Forwarding headers have no say.
pub fn client_address(request: &HttpRequest) -> Option<String> {
    request.peer_addr().map(|peer| peer.ip().to_string())
}
