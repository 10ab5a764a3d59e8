//! Prefixes under which the same paths are found: `/influx/write` is `/write`.
//!
//! VictoriaMetrics has them, so configurations copied from there go on to work.

use axum::extract::Request;
use hyper::Uri;

const PREFIXES: [&str; 2] = ["/influx", "/prometheus"];

/// Leaves the prefix of a path out. Who may call is decided by the path that is left.
pub(super) fn strip(request: &mut Request) {
    let Some(stripped) = stripped(request.uri()) else { return };
    *request.uri_mut() = stripped;
}

fn stripped(uri: &Uri) -> Option<Uri> {
    let whole = uri.path_and_query()?.as_str();
    let rest = PREFIXES.iter().find_map(|prefix| whole.strip_prefix(prefix))?;
    if !rest.starts_with('/') {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_prefixes_are_left_out_and_nothing_else() {
        for (path, expected) in [
            ("/influx/write?db=x", Some("/write?db=x")),
            ("/prometheus/api/v1/query?query=1", Some("/api/v1/query?query=1")),
            ("/prometheus/prometheus/x", Some("/prometheus/x")),
            ("/influxdb/write", None),
            ("/influx", None),
            ("/prometheus?x=/y", None),
            ("/write?x=/influx/", None),
            ("/", None),
        ] {
            let uri: Uri = path.parse().unwrap();
            assert_eq!(stripped(&uri).map(|uri| uri.to_string()).as_deref(), expected, "{path}");
        }
        let uri: Uri = "http://host:1/influx/ping".parse().unwrap();
        assert_eq!(stripped(&uri).unwrap(), "http://host:1/ping");
    }
}
