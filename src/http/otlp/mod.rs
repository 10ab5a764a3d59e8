//! OTLP metrics over HTTP (protobuf and JSON) and gRPC.
//!
//! Both say 200 when the rows are safe, with what was refused one by one in `partial_success`. Errors
//! are a `google.rpc.Status`; what may be tried again later says so in the way of its protocol, for
//! clients drop what they think is lost.

mod answers;
mod grpc;
mod metrics;
mod routes;
mod status;

pub(super) use routes::routes;
