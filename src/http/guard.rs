//! Calls that change the server come from who addressed the server, not from a page that a browser
//! happens to show.
//!
//! A name that an attacker owns can be made to resolve to 127.0.0.1 (DNS rebinding), and any page may
//! send a POST (request forgery). So the `Host` of such a call is an address, a name without a dot,
//! or one that was allowed; and an `Origin`, where a browser sends one, is that host.

use std::net::IpAddr;

use hyper::{
    HeaderMap, Uri,
    header::{HOST, ORIGIN},
};

use crate::http::Error;

/// Names under which this server is reached, beside addresses and names without a dot.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(pub Vec<String>);

impl AllowedHosts {
    /// Judges where a call that changes the server says it comes from.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
        let host = headers.get(HOST).map_or(Ok(""), |value| value.to_str()).unwrap_or("?");
        let host = uri.authority().map_or(host, |authority| authority.as_str());
        if !self.allows(name_of(host)) {
            return Err(Error::Forbidden(format!(
                "host {host:?} is not a name of this server; if it is, start it with --allow-host {}",
                name_of(host)
            )));
        }
        Self::check_page(host, headers)
    }

    /// Judges a page that sends rows: its own server's may.
    pub(super) fn check_origin(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
        if headers.contains_key(ORIGIN) { self.check(uri, headers) } else { Ok(()) }
    }

    fn check_page(host: &str, headers: &HeaderMap) -> Result<(), Error> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or("?");
        let from = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        if from.eq_ignore_ascii_case(host) {
            return Ok(());
        }
        Err(Error::Forbidden(format!("a page of {origin:?} may not do this: {host:?} may")))
    }

    fn allows(&self, name: &str) -> bool {
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_short = !name.is_empty() && !name.contains('.') && !name.contains('?');
        let is_local = name.ends_with(".localhost");
        is_address
            || is_short
            || is_local
            || self.0.iter().any(|allowed| allowed.eq_ignore_ascii_case(name))
    }
}

/// `name:port` without the port; brackets of an address stay.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn check(host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let allowed = AllowedHosts(vec!["metrics.example.com".into()]);
        allowed.check(&Uri::from_static("/api/v1/admin/flush"), &headers).is_ok()
    }

    #[test]
    fn own_names_pass_and_others_do_not() {
        for host in
            ["127.0.0.1:7847", "[::1]:7847", "localhost", "quipu:7847", "metrics.example.com"]
        {
            assert!(check(host, None), "{host}");
        }
        for host in ["evil.example", "evil.example:7847", "127.0.0.1.evil.example", ""] {
            assert!(!check(host, None), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        assert!(check("localhost:7847", Some("http://localhost:7847")));
        for origin in ["http://evil.example", "null", "http://localhost:80"] {
            assert!(!check("localhost:7847", Some(origin)), "{origin}");
        }
    }
}
