//! Which of the two messages a body is, and the way in.

use super::{
    decoder::Decoder,
    one,
    replica::{Filter, Replicas},
    two,
};
use crate::ingest::{Encoding, Error, Intake, Report, Session};
use crate::model::Batch;

/// A message of remote write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `prometheus.WriteRequest`, of remote write 1.
    WriteRequest,
    /// `io.prometheus.write.v2.Request`, of remote write 2.
    Request,
}

impl Message {
    /// What a body is packed in where no header says so: small clients leave it out.
    pub const ENCODING: Encoding = Encoding::Snappy;

    /// The message a `Content-Type` header names. Only its `proto` counts: clients write all kinds
    /// of media types, and most none.
    ///
    /// # Errors
    /// [`Error::UnknownMessage`] for a `proto` that is neither of the two.
    pub fn from_content_type(header: Option<&str>) -> Result<Self, Error> {
        let header = header.unwrap_or_default();
        let proto = header.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("proto").then(|| value.trim().trim_matches('"'))
        });
        match proto {
            None | Some("prometheus.WriteRequest") => Ok(Self::WriteRequest),
            Some("io.prometheus.write.v2.Request") => Ok(Self::Request),
            Some(_) => Err(Error::UnknownMessage(header.chars().take(200).collect())),
        }
    }
}

/// Decodes an inflated `body` into `batch`, which is emptied first.
///
/// Rows that cannot be taken are left out and told in the report. Where nothing in the report is
/// refused, everything is in the batch.
///
/// # Errors
/// [`Error::Protobuf`] where the body is no such message, [`Error::Limit`] where it has too many
/// symbols, [`Error::Registry`] where series cannot be registered now. The batch is empty then.
pub fn decode(
    message: Message,
    body: &[u8],
    session: &mut Session,
    intake: &Intake<'_>,
    batch: &mut Batch,
) -> Result<Report, Error> {
    decode_of_replicas(Form { message, replicas: None }, body, session, intake, batch)
}

/// How a body is read.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// Which message it is.
    pub message: Message,
    /// Of senders that say the same only the elected one is heard. None where all are.
    pub replicas: Option<Replicas<'a>>,
}

/// As [`decode`]; of senders that say the same only the elected one's rows come to the batch. The
/// report counts those of the others as well, for they are there already.
///
/// # Errors
/// As [`decode`].
pub fn decode_of_replicas(
    Form { message, replicas }: Form<'_>,
    body: &[u8],
    session: &mut Session,
    intake: &Intake<'_>,
    batch: &mut Batch,
) -> Result<Report, Error> {
    let mut decoder = Decoder::new(message, body, session, intake, batch);
    decoder.replicas = replicas.map(Filter::new);
    let outcome = match message {
        Message::WriteRequest => one::decode(&mut decoder),
        Message::Request => two::decode(&mut decoder),
    };
    let report = decoder.finish();
    match outcome {
        Ok(()) => Ok(report),
        Err(error) => {
            batch.clear();
            session.forget();
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proto_parameter_names_the_message() {
        let case = |header, expected| {
            assert_eq!(Message::from_content_type(header).ok(), expected, "{header:?}");
        };
        case(None, Some(Message::WriteRequest));
        case(Some(""), Some(Message::WriteRequest));
        case(Some("application/x-protobuf"), Some(Message::WriteRequest));
        case(Some("text/plain; charset=utf-8"), Some(Message::WriteRequest));
        case(
            Some("application/x-protobuf;proto=prometheus.WriteRequest"),
            Some(Message::WriteRequest),
        );
        case(
            Some("application/x-protobuf; Proto=\"io.prometheus.write.v2.Request\""),
            Some(Message::Request),
        );
        case(Some("application/x-protobuf;proto=io.prometheus.write.v9.Request"), None);
    }
}
