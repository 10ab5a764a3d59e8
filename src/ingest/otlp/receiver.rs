//! The way in: a body in one of its two forms, to a batch.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ingest::otlp::context::Rules;
use crate::ingest::otlp::decoder::{Decoder, Given};
use crate::ingest::otlp::delta::Deltas;
use crate::ingest::otlp::names::Names;
use crate::ingest::otlp::{Config, json};
use crate::ingest::{Error, Intake, Report, Session};
use crate::model::{Batch, Timestamp};

/// How a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As protobuf.
    Protobuf,
    /// As JSON, by protobuf's rules with OTLP's exceptions: ids are hexadecimal.
    Json,
}

impl Form {
    /// The form that a `Content-Type` header names; protobuf where there is none.
    ///
    /// # Errors
    /// [`Error::UnknownForm`] for a media type that is neither of the two.
    pub fn from_content_type(header: Option<&str>) -> Result<Self, Error> {
        let header = header.unwrap_or_default();
        let media_type = header.split(';').next().unwrap_or_default().trim();
        let known = [
            ("", Self::Protobuf),
            ("application/x-protobuf", Self::Protobuf),
            ("application/protobuf", Self::Protobuf),
            ("application/json", Self::Json),
        ];
        let found = known.iter().find(|(name, _)| media_type.eq_ignore_ascii_case(name));
        let unknown = || Error::UnknownForm(header.chars().take(200).collect());
        found.map(|(_, form)| *form).ok_or_else(unknown)
    }
}

/// A body, inflated.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'b> {
    /// How it is written.
    pub form: Form,
    /// All of it.
    pub body: &'b [u8],
    /// When it came.
    pub now: Timestamp,
}

/// The door for OTLP metrics, with the sums it keeps for senders of differences. One for all
/// connections.
#[derive(Debug)]
pub struct Receiver {
    config: Config,
    names: Names,
    fingerprint: u64,
    deltas: Deltas,
}

impl Receiver {
    /// One that keeps no sum yet.
    pub fn new(config: Config) -> Self {
        let mut hasher = DefaultHasher::new();
        config.hash(&mut hasher);
        Self {
            names: Names::new(&config),
            fingerprint: hasher.finish(),
            deltas: Deltas::new(&config),
            config,
        }
    }

    /// Decodes what was sent into `batch`, which is emptied first.
    ///
    /// Data points that cannot be taken are left out and told in the report. An empty body is an
    /// empty request.
    ///
    /// # Errors
    /// [`Error::Protobuf`] or [`Error::Json`] where the body is no such message, [`Error::Registry`]
    /// where series cannot be registered now. The batch is empty then.
    pub fn decode(
        &self,
        sent: Sent<'_>,
        session: &mut Session,
        intake: &Intake<'_>,
        batch: &mut Batch,
    ) -> Result<Report, Error> {
        let bounds = intake.begin(session, batch);
        let rewritten;
        let body = match sent.form {
            Form::Protobuf => sent.body,
            Form::Json => {
                rewritten = json::to_protobuf(sent.body)?;
                &rewritten
            }
        };
        let rules = Rules { config: &self.config, names: self.names, limits: intake.config };
        let (deltas, fingerprint) = (&self.deltas, self.fingerprint);
        let now = sent.now.nanos();
        let given = Given { intake, rules, deltas, fingerprint, now, bounds };
        let mut decoder = Decoder::new(given, body, session, batch);
        let outcome = decoder.take();
        let report = decoder.finish();
        if let Err(error) = outcome {
            batch.clear();
            session.forget();
            return Err(error);
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_names_the_form() {
        let case = |header, expected| {
            assert_eq!(Form::from_content_type(header).ok(), expected, "{header:?}");
        };
        case(None, Some(Form::Protobuf));
        case(Some("application/x-protobuf"), Some(Form::Protobuf));
        case(Some("Application/JSON; charset=utf-8"), Some(Form::Json));
        case(Some("application/grpc"), None);
        case(Some("text/plain"), None);
    }
}
