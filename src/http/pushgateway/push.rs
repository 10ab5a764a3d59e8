//! Pushes and deletions.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode, header::CONTENT_TYPE};
use tokio::task::spawn_blocking;

use crate::http::{
    Context, Error,
    answer::{TEXT, answer, refused},
    body,
    intake::write,
    prometheus::encoding,
    pushgateway::path::group,
    routes::Shared,
};
use crate::ingest::{
    exposition::Format,
    inflate,
    push::{Group, How, Push, PushError, Pushed, read},
};
use crate::model::Timestamp;

pub(super) async fn put(State(context): State<Shared>, request: Request) -> Response<Body> {
    said(push(&context, How::Replace, request).await, StatusCode::OK)
}

pub(super) async fn post(State(context): State<Shared>, request: Request) -> Response<Body> {
    said(push(&context, How::Merge, request).await, StatusCode::OK)
}

pub(super) async fn delete(State(context): State<Shared>, request: Request) -> Response<Body> {
    said(end(&context, request).await, StatusCode::ACCEPTED)
}

fn said(done: Result<(), Error>, status: StatusCode) -> Response<Body> {
    match done {
        Ok(()) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        }
        Err(error) => refused(&error, answer(error.status(), TEXT, format!("{error}\n"))),
    }
}

async fn push(context: &Shared, how: How, request: Request) -> Result<(), Error> {
    let (head, body) = request.into_parts();
    let group = match group(head.uri.path()) {
        Ok(group) => group,
        Err(error) => {
            body::drain(body).await;
            return Err(error);
        }
    };
    let encoding = encoding(&head.headers)?;
    let taken = body::read(body, context.body_limit(), &context.bytes, Vec::new()).await?;
    let config = &context.options.ingest;
    let mut inflated = Vec::new();
    let bytes = inflate(encoding, &taken.bytes, config.body_bytes_max, &mut inflated)
        .map_err(|error| Error::of_body(error).of_packed(encoding))?;
    context.pushes.bytes.add(taken.bytes.len() as u64);
    let media_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = match media_type.and_then(Format::from_content_type) {
        Some(Format::Protobuf) => Format::Protobuf,
        _ => Format::of_text(bytes),
    };
    let pushed = read(bytes, format, &group, config);
    let is_read = pushed.is_ok();
    let done = match pushed {
        Ok(pushed) => keep(context, &group, how, pushed).await,
        Err(error) => Err(of_push(error)),
    };
    if !is_read {
        note_failure(context, &group).await;
    }
    done
}

async fn keep(context: &Shared, group: &Group, how: How, pushed: Pushed) -> Result<(), Error> {
    let batch = {
        let mut groups = context.doors.pushed.lock();
        let (now, registry) = (now(context), context.doors.registry.as_ref());
        groups.push(Push { group, how, pushed }, now, registry).map_err(of_push)?
    };
    let rows = batch.rows.len() + batch.histograms.len();
    let written = write(context, batch).await;
    outlive(context, group).await?;
    written?;
    context.pushes.rows.add(rows as u64);
    Ok(())
}

/// Makes the group durable as it is in memory: whatever became of its rows, both are the same then.
async fn outlive(context: &Shared, group: &Group) -> Result<(), Error> {
    let (pushed, group) = (context.doors.pushed.clone(), group.clone());
    match spawn_blocking(move || pushed.keep(&group)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::StorageFull => {
            Err(Error::Full(format!("the group cannot be kept: {error}")))
        }
        Ok(Err(error)) => Err(Error::Unavailable(format!("the group cannot be kept: {error}"))),
        Err(panic) => Err(Error::Internal(format!("keeping the group failed inside: {panic}"))),
    }
}

/// What was wrong with the push is what its sender wants to know, so that this fails is not told.
async fn note_failure(context: &Shared, group: &Group) {
    context.pushes.refused.add(1);
    let noted = {
        let registry = context.doors.registry.as_ref();
        context.doors.pushed.lock().fail(group, now(context), registry)
    };
    let written = match noted {
        Ok(batch) => write(context, batch).await,
        Err(error) => Err(of_push(error)),
    };
    let written = written.and(outlive(context, group).await);
    if let Err(error) = written {
        tracing::debug!(%error, "a failed push was not noted");
    }
}

async fn end(context: &Shared, request: Request) -> Result<(), Error> {
    let group = group(request.uri().path())?;
    let batch = {
        let registry = context.doors.registry.as_ref();
        context.doors.pushed.lock().delete(&group, now(context), registry).map_err(of_push)?
    };
    let written = write(context, batch).await;
    outlive(context, &group).await?;
    written
}

fn now(context: &Context) -> Timestamp {
    Timestamp(context.doors.clock.now())
}

fn of_push(error: PushError) -> Error {
    match error {
        PushError::Body(error) => {
            let text = format!("text format parsing error: {error}");
            match Error::of_body(error) {
                Error::Bad(_) => Error::Bad(text),
                other => other,
            }
        }
        PushError::Registry(error) => Error::of_write(error),
        PushError::Limit { .. } => Error::TooLarge(error.to_string()),
        PushError::Timestamps | PushError::Twice(_) => Error::Bad(format!(
            "pushed metrics are invalid or inconsistent with existing metrics: {error}"
        )),
    }
}
