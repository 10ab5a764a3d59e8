//! The group that a path names.

use crate::http::{Error, params::percent_decode};
use crate::ingest::push::Group;

/// Marks a part whose value is base64, so that it may hold a slash or nothing.
const BASE64: &str = "@base64";

/// Labels that a group may have.
const LABELS_MAX: usize = 32;

/// Reads `/metrics/job/NAME/LABEL/VALUE…`.
pub(super) fn group(path: &str) -> Result<Group, Error> {
    let parts: Vec<&str> = path.strip_prefix("/metrics/").unwrap_or(path).split('/').collect();
    if !parts.len().is_multiple_of(2) {
        let shown: String = path.chars().take(200).collect();
        return Err(Error::Bad(format!("odd number of components in label string {shown:?}")));
    }
    if parts.len() / 2 > LABELS_MAX {
        return Err(Error::Bad(format!("the path has more than {LABELS_MAX} labels")));
    }
    let mut labels = Vec::with_capacity(parts.len() / 2);
    for (index, pair) in parts.chunks_exact(2).enumerate() {
        let &[name, value] = pair else { continue };
        let (name, is_encoded) =
            name.strip_suffix(BASE64).map_or((name, false), |name| (name, true));
        let name = percent_decode(name.as_bytes())?;
        if !is_name(&name) || name.starts_with("__") {
            return Err(Error::Bad(format!("improper label name {name:?}")));
        }
        let value = percent_decode(value.as_bytes())?;
        let value = if is_encoded { unpack(&name, &value)? } else { value };
        if index == 0 && value.is_empty() {
            return Err(Error::Bad("job name is required".into()));
        }
        if index > 0 && name == "job" {
            return Err(Error::Bad("job is named twice".into()));
        }
        labels.push((name, value));
    }
    Ok(Group::new(labels))
}

fn is_name(name: &str) -> bool {
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(is_start)
        && name.bytes().all(|byte| is_start(byte) || byte.is_ascii_digit())
}

fn unpack(name: &str, text: &str) -> Result<String, Error> {
    let bytes = base64(text.as_bytes())
        .ok_or_else(|| Error::Bad(format!("invalid base64 encoding for label {name}={text:?}")))?;
    String::from_utf8(bytes)
        .map_err(|_| Error::Bad(format!("the value of label {name:?} is not UTF-8")))
}

/// RFC 4648 with the alphabet for URLs, with or without padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    if text.len() - end > 2 {
        return None;
    }
    let digits = text.get(..end)?;
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::with_capacity(digits.len() * 3 / 4));
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff).try_into().ok()?);
        }
    }
    // A lone digit holds no byte, and bits beyond the last byte are none.
    (count < 6 && bits & ((1 << count) - 1) == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(path: &str) -> Result<Vec<(String, String)>, String> {
        group(path).map(|group| group.labels().to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn paths_name_groups() {
        let pairs = |pairs: &[(&str, &str)]| {
            Ok(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>())
        };
        assert_eq!(named("/metrics/job/a"), pairs(&[("job", "a")]));
        assert_eq!(named("/metrics/job@base64/ai94"), pairs(&[("job", "j/x")]));
        assert_eq!(
            named("/metrics/job/a%20b/instance/i+1/path@base64/L3Zhcg==/empty@base64/="),
            pairs(&[("empty", ""), ("instance", "i+1"), ("job", "a b"), ("path", "/var")])
        );
        assert_eq!(named("/metrics/job/a/x/1/x/2"), pairs(&[("job", "a"), ("x", "2")]));
    }

    #[test]
    fn paths_that_name_none_say_why() {
        for (path, says) in [
            ("/metrics/job/a/x", "odd number of components"),
            ("/metrics/job@base64/=", "job name is required"),
            ("/metrics/job/a/1x/y", "improper label name \"1x\""),
            ("/metrics/job/a/__x/y", "improper label name \"__x\""),
            ("/metrics/job/a/job/b", "job is named twice"),
            ("/metrics/job/a/x@base64/!", "invalid base64 encoding for label x=\"!\""),
            ("/metrics/job/a/x@base64/_w", "not UTF-8"),
            ("/metrics/job/a/x/%ff", "not UTF-8"),
            ("/metrics/job/a/x/%zz", "invalid URL escape"),
        ] {
            let error = named(path).unwrap_err();
            assert!(error.contains(says), "{path}: {error}");
        }
        assert!(named(&format!("/metrics/job/a{}", "/x/y".repeat(32))).is_err());
    }

    proptest! {
        #[test]
        fn any_path_is_a_group_or_an_error(path: String) {
            let _ = group(&path);
        }
    }
}
