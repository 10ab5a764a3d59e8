//! Paths that no route of ours has and that are only sent to get past one.

use crate::http::Error;

/// Refuses `//`, `.` and `..` segments, backslashes, and encoded forms of these and of NUL.
pub(super) fn check(path: &str) -> Result<(), Error> {
    let plain = path.starts_with('/')
        && !path.contains("//")
        && !path.contains('\\')
        && !path.split('/').any(is_dots)
        && !has_hidden(path);
    if plain {
        return Ok(());
    }
    let shown: String = path.chars().take(120).collect();
    Err(Error::Bad(format!(
        "path {shown:?} is not in its plain form: write it without empty, '.' or '..' segments, \
         backslashes and encoded slashes"
    )))
}

fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

/// Encoded `/`, `\` or control characters.
fn has_hidden(path: &str) -> bool {
    path.match_indices('%').any(|(at, _)| {
        let digits = path.get(at + 1..at + 3).unwrap_or_default();
        u8::from_str_radix(digits, 16)
            .is_ok_and(|byte| byte < 0x20 || byte == b'/' || byte == b'\\')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_pass_and_tricks_do_not() {
        for path in ["/", "/api/v1/query", "/api/v1/label/U__a/values", "/a/b.c/d..e", "/a%20b"] {
            assert!(check(path).is_ok(), "{path}");
        }
        for path in [
            "",
            "x",
            "//a",
            "/a//b",
            "/a/../b",
            "/./a",
            "/..%2f..%2fetc",
            "/%2e%2e/x",
            "/%2E./x",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/ready%0d%0aX",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
