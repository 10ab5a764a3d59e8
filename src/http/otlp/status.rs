//! `google.rpc.Status`: what OTLP says of a refusal, in either form.

use hyper::StatusCode;

use crate::export::write_string;
use crate::http::Error;
use crate::http::otlp::answers::{put_text, put_varint_field};

/// Seconds after which a refusal that passes may have passed.
const RETRY_SECONDS: u64 = 1;

/// The codes of gRPC that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Code {
    InvalidArgument = 3,
    NotFound = 5,
    PermissionDenied = 7,
    /// Too much at once: it is dropped, for nothing is said of when to try again.
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    /// To be tried again.
    Unavailable = 14,
}

impl Code {
    /// The code of a refusal.
    pub(super) fn of(error: &Error) -> Self {
        if error.is_passing() {
            return Self::Unavailable;
        }
        match error {
            Error::TooLarge(_) => Self::ResourceExhausted,
            Error::Forbidden(_) => Self::PermissionDenied,
            Error::NotFound(_) => Self::NotFound,
            Error::Method(_) => Self::Unimplemented,
            Error::Internal(_) => Self::Internal,
            _ => Self::InvalidArgument,
        }
    }
}

/// The status of an answer over HTTP. A full disk is 503 here: clients try again after that, and lose
/// what they sent after 507.
pub(super) fn http_status(error: &Error) -> StatusCode {
    if matches!(error, Error::Full(_)) { StatusCode::SERVICE_UNAVAILABLE } else { error.status() }
}

/// As protobuf. A refusal that passes has a `RetryInfo`; without it clients of gRPC may not try again.
pub(super) fn protobuf(error: &Error) -> Vec<u8> {
    let code = Code::of(error);
    let mut out = Vec::new();
    put_varint_field(1, u64::from(code as u8), &mut out);
    put_text(2, error.to_string().as_bytes(), &mut out);
    if error.is_passing() {
        let (mut delay, mut retry, mut any) = (Vec::new(), Vec::new(), Vec::new());
        put_varint_field(1, RETRY_SECONDS, &mut delay);
        put_text(1, &delay, &mut retry);
        put_text(1, b"type.googleapis.com/google.rpc.RetryInfo", &mut any);
        put_text(2, &retry, &mut any);
        put_text(3, &any, &mut out);
    }
    out
}

/// As JSON.
pub(super) fn json(error: &Error) -> Vec<u8> {
    let mut out = format!(r#"{{"code":{},"message":"#, Code::of(error) as u8).into_bytes();
    write_string(&error.to_string(), &mut out);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_whether_to_try_again() {
        let busy = Error::Busy { what: "too much", option: "--x" };
        for (error, code) in [
            (Error::Bad("x".into()), Code::InvalidArgument),
            (Error::MediaType("x".into()), Code::InvalidArgument),
            (Error::TooLarge("x".into()), Code::ResourceExhausted),
            (busy, Code::Unavailable),
            (Error::Unavailable("x".into()), Code::Unavailable),
            (Error::Full("x".into()), Code::Unavailable),
            (Error::Internal("x".into()), Code::Internal),
        ] {
            assert_eq!(Code::of(&error), code, "{error:?}");
        }
        assert_eq!(http_status(&Error::Full("x".into())), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn a_status_is_bytes_that_clients_read() {
        assert_eq!(protobuf(&Error::Bad("no".into())), b"\x08\x03\x12\x02no");
        let retry = b"\x08\x0e\x12\x02no\x1a\x30\x0a\x28type.googleapis.com/google.rpc.RetryInfo\
                      \x12\x04\x0a\x02\x08\x01";
        assert_eq!(protobuf(&Error::Unavailable("no".into())), retry);
        assert_eq!(json(&Error::Bad("\"no\"".into())), br#"{"code":3,"message":"\"no\""}"#);
    }
}
