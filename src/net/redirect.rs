//! Where a redirect leads.

use hyper::{StatusCode, Uri, http::uri};

/// Whether `status` sends the asker elsewhere.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Whether the request stays the request it was: otherwise it becomes a GET without body.
pub(super) fn keeps_method(status: StatusCode) -> bool {
    matches!(status.as_u16(), 307 | 308)
}

/// `location` as seen from `from`; None where it leads nowhere.
pub(super) fn resolve(from: &Uri, location: &str) -> Option<Uri> {
    // What stands behind # is for the asker.
    let location = location.split('#').next().unwrap_or_default();
    let target: Uri = if let Some(rest) = location.strip_prefix("//") {
        format!("{}://{rest}", from.scheme_str()?).parse().ok()?
    } else if location.contains("://") {
        location.parse().ok()?
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{}{location}", from.path())
        } else {
            format!("{folder}/{location}")
        };
        let mut parts = uri::Parts::default();
        parts.scheme = from.scheme().cloned();
        parts.authority = from.authority().cloned();
        parts.path_and_query = Some(path.parse().ok()?);
        Uri::from_parts(parts).ok()?
    };
    let is_web = matches!(target.scheme_str(), Some("http" | "https"));
    (is_web && target.authority().is_some()).then_some(target)
}

/// Whether both are one server: secrets are not carried to another.
pub(super) fn is_same_server(from: &Uri, to: &Uri) -> bool {
    from.scheme() == to.scheme() && from.authority() == to.authority()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_from_where_one_stands() {
        let from: Uri = "http://a:1/x/y?z=1".parse().unwrap();
        for (location, expected) in [
            ("https://b/c", Some("https://b/c")),
            ("/m#top", Some("http://a:1/m")),
            ("m?q=1", Some("http://a:1/x/m?q=1")),
            ("?q=2", Some("http://a:1/x/y?q=2")),
            ("//c/d", Some("http://c/d")),
            ("file:///etc/passwd", None),
            ("http:///", None),
        ] {
            let found = resolve(&from, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }
}
