//! Paths inside one database: '/'-separated, relative, and never out of the root.

use std::io;

/// Accepts the path of a file or directory below the root.
pub(super) fn check(path: &str) -> io::Result<&str> {
    if path.split('/').all(is_name) { Ok(path) } else { Err(refused(path)) }
}

/// Accepts the path of a directory, where "" is the root itself.
pub(super) fn check_dir(path: &str) -> io::Result<&str> {
    if path.is_empty() { Ok(path) } else { check(path) }
}

/// The directory a path lies in ("" is the root) and its last name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Every directory from the first below the root down to `path` itself.
pub(super) fn ancestry(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
    inner.chain((!path.is_empty()).then_some(path))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['\0', '\\'])
}

fn refused(path: &str) -> io::Error {
    let what = format!("path {path:?} is not a plain path inside the database");
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_are_accepted() {
        for good in ["a", "a/b", "metrics/2026-01-01/part-1.tmp", "..a", "a..b"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", "a\\b"] {
            assert_eq!(check(bad).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{bad}");
        }
        assert!(check_dir("").is_ok());
    }

    #[test]
    fn ancestry_goes_from_the_root_down() {
        assert_eq!(ancestry("a/b/c").collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
        assert_eq!(ancestry("").count(), 0);
        assert_eq!(split("a/b"), ("a", "b"));
        assert_eq!(split("a"), ("", "a"));
    }
}
