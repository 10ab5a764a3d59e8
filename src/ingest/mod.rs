//! Other people's formats to [`Batch`](crate::model::Batch), and their errors.
//!
//! A body comes in as bytes, is inflated within limits ([`inflate`]), and is decoded by the door it
//! came through ([`remote_write`], [`mod@line`], [`exposition`], [`otlp`]). Nothing here reads, writes or waits: series are found
//! by the [`Registry`](crate::model::Registry) that an [`Intake`] lends, rows land in the caller's
//! batch, and a [`Session`] keeps what one connection is likely to send next.
//!
//! One bad row harms only itself: it is counted and named in the [`Report`]. What cannot be read at
//! all is an [`Error`], and then nothing is kept and no series is registered.

mod book;
mod check;
mod config;
pub mod csv;
mod error;
mod exemplar;
pub mod exposition;
mod inflate;
mod intake;
pub mod json_lines;
mod labels;
pub mod line;
mod lookup;
mod metadata;
mod native;
mod number;
pub mod otlp;
pub mod push;
mod read_request;
mod relabel;
pub mod remote_read;
pub mod remote_write;
mod replicas;
mod report;
mod session;
mod time;
pub mod tsdb;
mod wire;

pub use book::LabelBook;
pub use config::Config;
pub use error::{Damage, Error};
pub use inflate::{Encoding, inflate};
pub use intake::Intake;
pub use read_request::{ReadQuery, ReadRequest, RequestError};
pub use relabel::{ExtraLabels, Pair, Relabel};
pub use replicas::{Ballot, Elections, ReplicaConfig};
pub use report::{Place, Reason, Refusal, Report};
pub use session::Session;
