//! Metrics over HTTP.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
};

use crate::http::{
    Error,
    answer::{JSON, answer, refused},
    body::drain,
    connection::Connection,
    intake::{Decode, take},
    otlp::{answers, status},
    routes::Shared,
};
use crate::ingest::{
    self, Encoding, Intake, Report, Session,
    otlp::{Form, Sent},
};
use crate::model::{Batch, Timestamp};

const PROTOBUF: &str = "application/x-protobuf";

pub(super) async fn export(State(context): State<Shared>, request: Request) -> Response<Body> {
    let connection = Connection::of(&request, &context);
    let (head, body) = request.into_parts();
    let (form, wishes) = wishes(&head.headers);
    let taken = match wishes {
        Ok(encoding) => {
            let decode = decode(&context, form);
            take(&context, &connection, |it| &it.otlp, (encoding, body), decode).await
        }
        Err(error) => {
            drain(body).await;
            Err(error)
        }
    };
    match (taken, form) {
        (Ok(report), Form::Protobuf) => {
            answer(StatusCode::OK, PROTOBUF, answers::protobuf(&report))
        }
        (Ok(report), Form::Json) => answer(StatusCode::OK, JSON, answers::json(&report)),
        (Err(error), form) => refusal(&error, form),
    }
}

/// Turns a body of a form into a batch, with what this house keeps for the door.
pub(super) fn decode(context: &Shared, form: Form) -> impl Decode {
    let receiver = Arc::clone(&context.otlp_receiver);
    let now = Timestamp(context.doors.clock.now());
    move |bytes: &[u8],
          session: &mut Session,
          intake: &Intake<'_>,
          batch: &mut Batch|
          -> Result<Report, ingest::Error> {
        receiver.decode(Sent { form, body: bytes, now }, session, intake, batch)
    }
}

/// The form of the answer, and how the body is packed. Who sends another form reads JSON, most likely.
fn wishes(headers: &HeaderMap) -> (Form, Result<Encoding, Error>) {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match Form::from_content_type(text(CONTENT_TYPE)) {
        Ok(form) => {
            let encoding = Encoding::from_header(text(CONTENT_ENCODING), Encoding::Identity);
            (form, encoding.map_err(Error::of_body))
        }
        Err(error) => (Form::Json, Err(Error::of_body(error))),
    }
}

fn refusal(error: &Error, form: Form) -> Response<Body> {
    let status = status::http_status(error);
    let response = match form {
        Form::Protobuf => answer(status, PROTOBUF, status::protobuf(error)),
        Form::Json => answer(status, JSON, status::json(error)),
    };
    let mut response = refused(error, response);
    *response.status_mut() = status;
    response
}
