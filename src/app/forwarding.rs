//! What is written goes out again: receivers started and shown among the metrics.

use std::{fs, path::Path, sync::Arc};

use tokio::runtime::Handle;

use crate::app::{Error, Options};
use crate::http::{Kind, Metrics, Sample};
use crate::net::remote_write::{Figure, RemoteWrite, Setup};
use crate::os::Clock;
use crate::store::Db;

/// What is read, and where it is told.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) db: &'a Arc<Db>,
    pub(super) metrics: &'a Metrics,
    pub(super) clock: &'a Arc<dyn Clock>,
}

/// Starts the receivers that `options` name, which may be none.
///
/// # Errors
/// Where one of them cannot be started.
pub(super) fn start_forwarding(
    runtime: &Handle,
    options: &Options,
    source: &Source<'_>,
) -> Result<RemoteWrite, Error> {
    let setup = Setup {
        db: Arc::clone(source.db),
        clock: Arc::clone(source.clock),
        read: Arc::new(|path: &Path| fs::read_to_string(path)),
        addresses: options.addresses,
        external_labels: &options.external_labels,
    };
    let receivers = [&options.forward_to[..], &options.remote_write].concat();
    let receivers = RemoteWrite::start(runtime, &receivers, &setup)?;
    let figures = receivers.figures();
    source
        .metrics
        .watch(Box::new(move |samples| samples.extend(figures().into_iter().map(sample))));
    Ok(receivers)
}

fn sample(figure: Figure) -> Sample {
    let Figure { name, help, is_counter, labels, value } = figure;
    Sample {
        family: name,
        help,
        kind: if is_counter { Kind::Counter } else { Kind::Gauge },
        suffix: "",
        labels: labels.into_iter().map(|(name, value)| (name, value.into())).collect(),
        value,
    }
}
