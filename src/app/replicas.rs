//! Who speaks for each cluster: kept across restarts, shown among the metrics.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{runtime::Runtime, task::JoinHandle, time::sleep};

use crate::app::Options;
use crate::http::{Kind, Metrics, Sample};
use crate::ingest::Elections;

/// The file below the data directory.
const FILE: &str = "replicas";
/// How often it is looked whether somebody else was elected.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A file of more is not ours.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Elections, with what keeps them; none where all senders are heard.
pub(super) struct Replicas(Option<Kept>);

struct Kept {
    elections: Arc<Elections>,
    path: PathBuf,
    saving: JoinHandle<()>,
}

impl Replicas {
    /// Takes up what the last run knew. That a file cannot be read costs an election, so it is no error.
    pub(super) fn open(runtime: &Runtime, options: &Options, metrics: &Metrics, now: i64) -> Self {
        if !options.ha_dedup {
            return Self(None);
        }
        let elections = Arc::new(Elections::new(options.replicas.clone()));
        let path = options.data.join(FILE);
        match read(&path) {
            Ok(text) => elections.load(&text, now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, "who spoke for each cluster is not known any more");
            }
        }
        show(metrics, Arc::clone(&elections));
        let saving = runtime.spawn(keep(Arc::clone(&elections), path.clone()));
        Self(Some(Kept { elections, path, saving }))
    }

    /// For the door.
    pub(super) fn elections(&self) -> Option<Arc<Elections>> {
        self.0.as_ref().map(|kept| Arc::clone(&kept.elections))
    }

    /// Writes down who is heard.
    pub(super) fn close(self) {
        if let Some(kept) = self.0 {
            kept.saving.abort();
            save(&kept.elections, &kept.path);
        }
    }
}

async fn keep(elections: Arc<Elections>, path: PathBuf) {
    let mut saved = elections.version();
    loop {
        sleep(LOOK_EVERY).await;
        let version = elections.version();
        if version != saved {
            saved = version;
            let clusters = elections.clusters();
            tracing::info!(clusters, "another replica is heard");
            save(&elections, &path);
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    fs::read_to_string(path)
}

/// Whole or not at all. Not synced: who was elected is no acknowledged row.
#[expect(clippy::disallowed_methods, reason = "a small file beside the store, in no format of it")]
fn save(elections: &Elections, path: &Path) {
    let beside = path.with_extension("tmp");
    let saved = fs::write(&beside, elections.save()).and_then(|()| fs::rename(&beside, path));
    if let Err(error) = saved {
        tracing::warn!(%error, "who speaks for each cluster cannot be kept for the next start");
    }
}

fn show(metrics: &Metrics, elections: Arc<Elections>) {
    metrics.watch(Box::new(move |samples| {
        let mut push = |family, help, kind, value| {
            samples.push(Sample { family, help, kind, suffix: "", labels: Vec::new(), value });
        };
        push(
            "quipu_ha_deduplicated_rows_total",
            "Rows of replicas that were not elected: acknowledged and dropped.",
            Kind::Counter,
            as_float(elections.deduplicated()),
        );
        push(
            "quipu_ha_failovers_total",
            "How often another replica took over.",
            Kind::Counter,
            as_float(elections.failovers()),
        );
        push(
            "quipu_ha_clusters",
            "Clusters with replicas that are known.",
            Kind::Gauge,
            as_float(elections.clusters() as u64),
        );
    }));
}

#[expect(clippy::cast_precision_loss, reason = "counts as floats, as every metric is")]
fn as_float(count: u64) -> f64 {
    count as f64
}
