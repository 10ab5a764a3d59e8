//! Buckets and organisations, as clients of version 2 look for them before they write.
//!
//! A bucket is a database by another name, so it is a label here: making one only remembers its name.
//! There is one organisation, by whatever name one asks for it.

use std::sync::PoisonError;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};
use serde::Deserialize;

use crate::export::write_string;
use crate::http::{
    Context, Error,
    answer::{JSON, answer, refused},
    body,
    influx::{
        query::{DATABASES_MAX, NAME_MAX, databases},
        routes::marked,
        write::code,
    },
    params::Params,
    routes::Shared,
};

/// The organisation's id: sixteen digits, as clients check.
const ORGANISATION: &str = "0000000000000001";

/// When everything here began, for clients that read it.
const CREATED: &str = "1970-01-01T00:00:00Z";

pub(super) async fn list(State(context): State<Shared>, request: Request) -> Response<Body> {
    let params = Params::parse(request.uri().query(), b"");
    let listed = async {
        let params = params?;
        let all = databases(&context).await?;
        let is_wanted = |name: &&String| {
            params.get("name").is_none_or(|wanted| wanted == *name)
                && params.get("id").is_none_or(|wanted| wanted == id(name))
        };
        let mut body = Vec::from(*br#"{"links":{"self":"/api/v2/buckets"},"buckets":["#);
        for (index, name) in all.iter().filter(is_wanted).enumerate() {
            body.extend_from_slice(if index > 0 { b"," } else { b"" });
            write_bucket(name, &mut body);
        }
        body.extend_from_slice(b"]}\n");
        Ok(body)
    };
    told(StatusCode::OK, listed.await)
}

/// What is read of a bucket that shall be.
#[derive(Deserialize)]
struct Wanted {
    name: String,
}

pub(super) async fn create(State(context): State<Shared>, request: Request) -> Response<Body> {
    let created = async {
        let read =
            body::read(request.into_body(), Context::form_limit(), &context.bytes, Vec::new());
        let read = read.await?;
        let Wanted { name } = serde_json::from_slice(&read.bytes)
            .map_err(|error| Error::Bad(format!("cannot read the bucket: {error}")))?;
        if !(1..=NAME_MAX).contains(&name.len()) {
            return Err(Error::Bad(format!("a bucket's name has 1 to {NAME_MAX} bytes")));
        }
        let mut body = Vec::new();
        write_bucket(&name, &mut body);
        let mut known = context.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < DATABASES_MAX {
            known.insert(name);
        }
        Ok(body)
    };
    told(StatusCode::CREATED, created.await)
}

pub(super) async fn organisations(request: Request) -> Response<Body> {
    let listed = Params::parse(request.uri().query(), b"").map(|params| {
        let name = params.get("org").unwrap_or("quipu");
        let mut body = Vec::from(*br#"{"links":{"self":"/api/v2/orgs"},"orgs":[{"id":"#);
        write_string(params.get("orgID").unwrap_or(ORGANISATION), &mut body);
        body.extend_from_slice(br#","name":"#);
        write_string(name, &mut body);
        let rest = format!(r#","createdAt":"{CREATED}","updatedAt":"{CREATED}"}}]}}"#);
        body.extend_from_slice(rest.as_bytes());
        body
    });
    told(StatusCode::OK, listed)
}

fn told(status: StatusCode, body: Result<Vec<u8>, Error>) -> Response<Body> {
    marked(match body {
        Ok(body) => answer(status, JSON, body),
        Err(error) => return refusal(&error),
    })
}

/// An error in the form of version 2.
pub(super) fn refusal(error: &Error) -> Response<Body> {
    let mut body = Vec::from(*br#"{"code":"#);
    write_string(code(error), &mut body);
    body.extend_from_slice(br#","message":"#);
    write_string(&error.to_string(), &mut body);
    body.extend_from_slice(b"}\n");
    marked(refused(error, answer(error.status(), JSON, body)))
}

fn write_bucket(name: &str, out: &mut Vec<u8>) {
    let id = id(name);
    out.extend_from_slice(format!(r#"{{"id":"{id}","orgID":"{ORGANISATION}","name":"#).as_bytes());
    write_string(name, out);
    let rest = format!(
        r#","type":"user","retentionRules":[],"createdAt":"{CREATED}","updatedAt":"{CREATED}"}}"#
    );
    out.extend_from_slice(rest.as_bytes());
}

/// A bucket's id: its name hashed (FNV-1a), the same for ever.
pub(super) fn id(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}
