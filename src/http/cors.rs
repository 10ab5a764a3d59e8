//! Whose pages may read answers: cross-origin resource sharing.
//!
//! None but our own unless it is asked for: on a machine without tokens every page that a browser
//! shows could read everything. Source of the headers: Prometheus `util/httputil/cors.go`.

use hyper::{
    HeaderMap,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue, VARY,
    },
};

/// Origins that may read answers.
#[derive(Debug)]
pub(super) enum Cors {
    None,
    All,
    Some(regex::Regex),
}

impl Cors {
    /// Those that match the whole of a regular expression; none for an empty one, or one that is
    /// none, which the configuration refuses.
    pub(super) fn new(pattern: &str) -> Self {
        match pattern {
            "" => Self::None,
            ".*" | "*" => Self::All,
            pattern => {
                regex::Regex::new(&format!("^(?:{pattern})$")).map_or(Self::None, Self::Some)
            }
        }
    }

    /// Adds to the head of an answer what a browser asks for.
    pub(super) fn tell(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if matches!(self, Self::None) {
            return;
        }
        answer.append(VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = origin else { return };
        let allowed = match self {
            Self::None => return,
            Self::All => HeaderValue::from_static("*"),
            Self::Some(regex) if origin.to_str().is_ok_and(|origin| regex.is_match(origin)) => {
                origin.clone()
            }
            Self::Some(_) => return,
        };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
        ] {
            answer.insert(name, HeaderValue::from_static(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(pattern: &str, origin: &'static str) -> Option<String> {
        let mut answer = HeaderMap::new();
        Cors::new(pattern).tell(Some(&HeaderValue::from_static(origin)), &mut answer);
        let value = answer.get(ACCESS_CONTROL_ALLOW_ORIGIN)?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn origins_are_allowed_as_they_are_named() {
        assert_eq!(allowed("", "http://a"), None);
        assert_eq!(allowed(".*", "http://a"), Some("*".into()));
        assert_eq!(allowed("https?://a", "http://a"), Some("http://a".into()));
        assert_eq!(allowed("http://a", "http://a.evil"), None);
        assert_eq!(allowed("(", "http://a"), None);
    }
}
