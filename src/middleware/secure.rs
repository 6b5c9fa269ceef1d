use actix_web::{
    Error as ActixError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
};

/// The headers of every answer: those of Django's `SecurityMiddleware` and `XFrameOptionsMiddleware`.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];
/// The policy of pages: they load only from this server, and no site may frame them.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// Adds the security headers.
pub async fn secure<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, ActixError> {
    let mut response = next.call(request).await?;
    protect(response.headers_mut());
    Ok(response)
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let is_html = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if is_html && !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_static(POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_has_a_policy_and_it_may_bring_its_own() {
        let protected = |pairs: &[(HeaderName, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(name.clone(), HeaderValue::from_static(value));
            }
            protect(&mut headers);
            assert_eq!(headers.get(header::X_FRAME_OPTIONS).unwrap(), "DENY");
            let policy = headers.get(header::CONTENT_SECURITY_POLICY);
            policy.map(|policy| policy.to_str().unwrap().to_owned())
        };
        let html = (header::CONTENT_TYPE, "text/html; charset=utf-8");
        assert_eq!(
            protected(&[(header::CONTENT_TYPE, "application/json")]),
            None
        );
        assert_eq!(
            protected(std::slice::from_ref(&html)).as_deref(),
            Some(POLICY)
        );
        let own = (header::CONTENT_SECURITY_POLICY, "default-src 'none'");
        assert_eq!(
            protected(&[html, own]).as_deref(),
            Some("default-src 'none'")
        );
    }
}
