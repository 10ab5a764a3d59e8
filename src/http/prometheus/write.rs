//! Remote write 1 and 2.
//!
//! 2xx is said when the rows are safe, 400 where some were refused and the others are safe, which
//! tells the sender not to send them again. Errors are plain text, which senders log.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{
    HeaderMap, Response, StatusCode,
    header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue},
};

use crate::http::{
    Error,
    answer::{TEXT, answer, done, refused},
    connection::Connection,
    intake::take,
    routes::Shared,
};
use crate::ingest::{
    Encoding, Intake, Report,
    remote_write::{Form, Message, Replicas, decode_of_replicas},
};

pub(super) async fn write(State(context): State<Shared>, request: Request) -> Response<Body> {
    let connection = Connection::of(&request, &context);
    let (head, body) = request.into_parts();
    let forms = forms(&head.headers);
    let taken = match forms {
        Ok((message, encoding)) => {
            let (elections, now) = (context.options.elections.clone(), context.doors.clock.now());
            let decode =
                move |bytes: &[u8], session: &mut _, intake: &Intake<'_>, batch: &mut _| {
                    let replicas = elections.as_deref();
                    let replicas = replicas.map(|elections| Replicas { elections, now });
                    decode_of_replicas(Form { message, replicas }, bytes, session, intake, batch)
                };
            take(&context, &connection, |it| &it.remote_write, (encoding, body), decode).await
        }
        Err(error) => {
            crate::http::body::drain(body).await;
            Err(error)
        }
    };
    let (report, response) = match taken {
        Ok(report) if report.is_clean() => (report, done()),
        Ok(report) => {
            let text = format!("{report}\n");
            (report, answer(StatusCode::BAD_REQUEST, TEXT, text))
        }
        Err(error) => {
            let refusal = refusal(&error, &HeaderMap::new());
            (Report::default(), refusal)
        }
    };
    counted(&report, response)
}

/// Plain text, which senders log.
pub(super) fn refusal(error: &Error, _: &HeaderMap) -> Response<Body> {
    refused(error, answer(error.status(), TEXT, format!("{error}\n")))
}

fn forms(headers: &HeaderMap) -> Result<(Message, Encoding), Error> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let message = Message::from_content_type(text(CONTENT_TYPE)).map_err(Error::of_body)?;
    let encoding =
        Encoding::from_header(text(CONTENT_ENCODING), Message::ENCODING).map_err(Error::of_body)?;
    Ok((message, encoding))
}

/// Message 2 has senders check what was written, on success and on failure.
fn counted(report: &Report, mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    let mut count = |name, count: u64| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(count));
    };
    count("x-prometheus-remote-write-samples-written", report.samples);
    count("x-prometheus-remote-write-histograms-written", report.histograms);
    count("x-prometheus-remote-write-exemplars-written", report.exemplars);
    response
}

/// vmagent asks before it packs with zstd; version 1 says that we unpack it.
pub(super) async fn handshake(request: Request) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|pair| pair.starts_with("get_vm_proto_version=")) {
        return answer(StatusCode::OK, TEXT, "1");
    }
    let error =
        Error::Method(format!("GET is not for {:?}: send rows with POST", request.uri().path()));
    let mut response = refused(&error, answer(error.status(), TEXT, format!("{error}\n")));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}
