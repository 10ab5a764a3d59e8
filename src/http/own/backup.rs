//! Copies on demand: a backup elsewhere, a snapshot beside the data.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use serde::Deserialize;
use tokio::task::spawn_blocking;

use crate::http::{
    Context, Error, Operations,
    answer::{JSON, answer},
    body,
    params::{Params, is_form},
    prometheus::rfc3339,
    routes::Shared,
};
use crate::model;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    to: Option<String>,
}

/// `POST /api/v1/admin/backup` with `{"to": …}`, or `to` as a parameter; returns when it is made.
pub(super) async fn back_up(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let read = body::read(body, Context::form_limit(), &context.bytes, Vec::new()).await?;
    let to = if is_form(&head.headers) || read.bytes.is_empty() {
        Params::parse(head.uri.query(), &read.bytes)?.get("to").map(str::to_owned)
    } else {
        let wish: Wish = serde_json::from_slice(&read.bytes)
            .map_err(|error| Error::Bad(format!("the body is not like {{\"to\": …}}: {error}")))?;
        wish.to
    };
    if let Some(to) = &to
        && !to.contains("://")
        && !std::path::Path::new(to).is_absolute()
    {
        let why = format!("{to:?} is no place: name a whole path, or s3://bucket/prefix");
        return Err(Error::Parameter { name: "to", why });
    }
    let made = work(&context, move |operations| operations.back_up(to.as_deref())).await?;
    let data = serde_json::to_value(made).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(told(&data))
}

/// `POST /api/v1/admin/tsdb/snapshot?skip_head=true`, as Prometheus has it.
pub(in crate::http) async fn snapshot(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = Params::parse(request.uri().query(), b"")?;
    let with_log = match params.get("skip_head") {
        None | Some("false" | "0" | "f" | "F" | "FALSE" | "False") => true,
        Some("true" | "1" | "t" | "T" | "TRUE" | "True") => false,
        Some(other) => {
            let why = format!("{other:?} is neither true nor false");
            return Err(Error::Parameter { name: "skip_head", why });
        }
    };
    let name = snapshot_name(context.doors.clock.now());
    let made = name.clone();
    work(&context, move |operations| operations.snapshot(&made, with_log)).await?;
    Ok(told(&serde_json::json!({ "name": name })))
}

fn told(data: &serde_json::Value) -> Response<Body> {
    let body = serde_json::json!({ "status": "success", "data": data });
    answer(StatusCode::OK, JSON, body.to_string())
}

async fn work<T: Send + 'static>(
    context: &Shared,
    call: impl FnOnce(&dyn Operations) -> Result<T, model::Error> + Send + 'static,
) -> Result<T, Error> {
    let operations = Arc::clone(&context.doors.operations);
    let done = spawn_blocking(move || call(operations.as_ref())).await;
    done.map_err(|panic| Error::Internal(format!("a copy failed inside: {panic}")))?
        .map_err(Error::of_write)
}

/// `20261125T030615Z-00000000075bcd15`: the second, then digits that tell two of one second apart.
fn snapshot_name(now: i64) -> String {
    let second = rfc3339(now.div_euclid(1_000_000)).replace(['-', ':'], "");
    format!("{second}-{:016x}", now.rem_euclid(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_snapshots_are_times() {
        let name = snapshot_name(1_795_575_975_123_456_789);
        assert_eq!(name, "20261125T030615Z-00000000075bcd15");
    }
}
