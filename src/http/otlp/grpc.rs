//! Metrics over gRPC: `MetricsService/Export`.
//!
//! tonic does the framing; messages pass it as bytes, so that there is one decoder. The body is read
//! by us first, within the limits that all bodies have.

use std::{future::Future, pin::Pin};

use axum::{
    body::Body,
    extract::{Request, State},
};
use bytes::{Buf, BufMut, Bytes};
use http_body_util::Full;
use hyper::{
    HeaderMap, Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use tonic::{
    Status,
    codec::{
        Codec, CompressionEncoding, DecodeBuf, Decoder, EnabledCompressionEncodings, EncodeBuf,
        Encoder,
    },
    server::{Grpc, UnaryService},
};

use crate::http::{
    Error,
    admission::Permit,
    answer::{TEXT, answer, refused},
    body,
    connection::Connection,
    intake::{UNPACKED_RATIO, take},
    otlp::{
        answers, metrics,
        status::{self, Code},
    },
    routes::Shared,
};
use crate::ingest::{Encoding, otlp::Form};

/// Before each message: whether it is packed, and its length.
const FRAME_BYTES: u64 = 5;

/// Where a status stands.
const GRPC_STATUS: &str = "grpc-status";

pub(super) async fn export(State(context): State<Shared>, request: Request) -> Response<Body> {
    let connection = Connection::of(&request, &context);
    let (head, body) = request.into_parts();
    if !is_grpc(&head.headers) {
        body::drain(body).await;
        let error = Error::MediaType("this path takes application/grpc only".into());
        return refused(&error, answer(error.status(), TEXT, format!("{error}\n")));
    }
    let (bytes, permits) = match read(&context, &head.headers, body).await {
        Ok(read) => read,
        Err(error) => return of_status(&status_of(&error)),
    };
    let request = Request::from_parts(head, ()).map(|()| Full::new(bytes));
    let packings = packings();
    let mut grpc = Grpc::new(Raw)
        .apply_compression_config(packings, packings)
        .max_decoding_message_size(message_max(&context));
    let export = Export { context, connection, permits };
    with_known_code(grpc.unary(export, request).await.map(Body::new))
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    media_type.starts_with(b"application/grpc")
}

/// The body, and the room that it takes, unpacked as well.
async fn read(
    context: &Shared,
    headers: &HeaderMap,
    body: Body,
) -> Result<(Bytes, Vec<Permit>), Error> {
    let mut limit = context.body_limit();
    limit.bytes = limit.bytes.saturating_add(FRAME_BYTES);
    let mut read = body::read(body, limit, &context.bytes, Vec::new()).await?;
    if headers.get("grpc-encoding").is_some_and(|coding| coding != "identity") {
        let size = read.bytes.len() as u64 * UNPACKED_RATIO;
        let room = context.bytes.enter(size.min(context.options.body_bytes_max)).await?;
        read.permits.push(room);
    }
    Ok((read.bytes.into(), read.permits))
}

fn message_max(context: &Shared) -> usize {
    let wire = usize::try_from(context.options.body_bytes_max).unwrap_or(usize::MAX);
    wire.min(context.options.ingest.body_bytes_max)
}

fn packings() -> EnabledCompressionEncodings {
    let mut packings = EnabledCompressionEncodings::default();
    packings.enable(CompressionEncoding::Gzip);
    packings.enable(CompressionEncoding::Zstd);
    packings
}

/// One call.
struct Export {
    context: Shared,
    connection: std::sync::Arc<Connection>,
    permits: Vec<Permit>,
}

impl UnaryService<Bytes> for Export {
    type Response = Bytes;
    type Future =
        Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send + 'static>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (context, connection) = (self.context.clone(), self.connection.clone());
        // The message takes its own room from here on.
        self.permits.clear();
        Box::pin(async move {
            let body = Body::from(request.into_inner());
            let decode = metrics::decode(&context, Form::Protobuf);
            let packed = (Encoding::Identity, body);
            match take(&context, &connection, |it| &it.otlp, packed, decode).await {
                Ok(report) => Ok(tonic::Response::new(answers::protobuf(&report).into())),
                Err(error) => Err(status_of(&error)),
            }
        })
    }
}

fn status_of(error: &Error) -> Status {
    let code = tonic::Code::from_i32(i32::from(Code::of(error) as u8));
    if error.is_passing() {
        return Status::with_details(code, error.to_string(), status::protobuf(error).into());
    }
    Status::new(code, error.to_string())
}

fn of_status(status: &Status) -> Response<Body> {
    status.clone().into_http()
}

/// tonic calls a message out of range that is too large; OTLP's word for it is resource exhausted.
fn with_known_code(mut response: Response<Body>) -> Response<Body> {
    if let Some(code) = response.headers_mut().get_mut(GRPC_STATUS)
        && *code == "11"
    {
        *code = HeaderValue::from_static("8");
    }
    response
}

/// Messages as the bytes they are.
#[derive(Clone, Copy, Debug)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
