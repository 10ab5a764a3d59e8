//! All receivers together: started, asked how they do, stopped.

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::export::remote_write::Message;
use crate::net::AddressPolicy;
use crate::os::Clock;
use crate::store::{self, Db};

use super::{
    config::{RemoteWriteConfig, RemoteWriteError},
    endpoint::{Endpoint, ReadSecret},
    feed::{Feed, Sends},
    figures::{Figure, figures},
    labeller::Labeller,
    ledger::Ledger,
    remote::Remote,
    shard::Sending,
};

/// Begins the names of receivers' readers.
const READERS: &str = "remote_write-";
/// How often a flush looks whether it is over.
const FLUSH_LOOK: Duration = Duration::from_millis(50);

/// What receivers are started with.
pub struct Setup<'a> {
    /// Whose rows go out.
    pub db: Arc<Db>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Reads files that settings name.
    pub read: ReadSecret,
    /// Where requests may go.
    pub addresses: AddressPolicy,
    /// `external_labels`: what series get that have no label of the name.
    pub external_labels: &'a [(String, String)],
}

/// Why receivers cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration means nothing.
    #[error(transparent)]
    Config(#[from] RemoteWriteError),
    /// The marks on disk cannot be used.
    #[error("remote_write, {name:?}: {source}")]
    Marks {
        /// The receiver.
        name: String,
        /// What the store said.
        source: store::Error,
    },
}

struct Running {
    name: String,
    url: String,
    ledger: Arc<Ledger>,
    task: JoinHandle<()>,
}

/// Receivers at work.
pub struct RemoteWrite {
    running: Vec<Running>,
    stop: watch::Sender<bool>,
    clock: Arc<dyn Clock>,
}

impl RemoteWrite {
    /// Starts a task for each receiver.
    ///
    /// # Errors
    /// Where a setting cannot be used or marks cannot be read; nothing is sent then.
    pub fn start(
        runtime: &Handle,
        configs: &[RemoteWriteConfig],
        setup: &Setup<'_>,
    ) -> Result<Self, StartError> {
        RemoteWriteConfig::check_all(configs)?;
        let (stop, stopped) = watch::channel(false);
        let remotes: Result<Vec<_>, StartError> =
            configs.iter().map(|config| open(config, setup, &stopped)).collect();
        let remotes = remotes?;
        let names: Vec<String> = configs.iter().map(reader).collect();
        setup
            .db
            .retain_followers(READERS, &names)
            .map_err(|source| StartError::Marks { name: "others".into(), source })?;
        let run = |(config, remote): (&RemoteWriteConfig, Remote)| Running {
            name: config.name(),
            url: config.shown_url(),
            ledger: Arc::clone(&remote.sending.ledger),
            task: runtime.spawn(remote.run()),
        };
        let running = configs.iter().zip(remotes).map(run).collect();
        Ok(Self { running, stop, clock: Arc::clone(&setup.clock) })
    }

    /// What each receiver's queue counts, families together, whenever it is asked.
    pub fn figures(&self) -> impl Fn() -> Vec<Figure> + Send + Sync + 'static {
        let ledgers = self.running.iter();
        let ledgers: Vec<_> =
            ledgers.map(|it| (it.name.clone(), it.url.clone(), Arc::clone(&it.ledger))).collect();
        let clock = Arc::clone(&self.clock);
        move || {
            let now = clock.monotonic();
            let mut all: Vec<Figure> = Vec::new();
            for (name, url, ledger) in &ledgers {
                for mut figure in figures(ledger, now) {
                    figure.labels.push(("remote", name.clone()));
                    figure.labels.push(("url", url.clone()));
                    all.push(figure);
                }
            }
            // Stable: receivers and reasons stay in order.
            all.sort_by_key(|figure| figure.name);
            all
        }
    }

    /// Waits until nothing that was written up to now is left to send; false when `time` is over.
    pub async fn flush(&self, time: Duration) -> bool {
        let all = async {
            for it in &self.running {
                while it.ledger.records_waiting() > 0 {
                    sleep(FLUSH_LOOK).await;
                }
            }
        };
        timeout(time, all).await.is_ok()
    }

    /// Ends: what is under way may come to its end within seconds, the rest waits in the log.
    pub async fn stop(self) {
        // Nobody listens where there is no receiver.
        let _ = self.stop.send(true);
        for it in self.running {
            if it.task.await.is_err() {
                tracing::error!(remote = it.name, "remote write failed inside");
            }
        }
    }
}

/// The name of a receiver's reader of the log.
fn reader(config: &RemoteWriteConfig) -> String {
    format!("{READERS}{}", config.name())
}

fn open(
    config: &RemoteWriteConfig,
    setup: &Setup<'_>,
    stop: &watch::Receiver<bool>,
) -> Result<Remote, StartError> {
    let name = config.name();
    let endpoint = Endpoint::new(config, setup.addresses, Arc::clone(&setup.read))?;
    let marks = |source| StartError::Marks { name: name.clone(), source };
    let (follower, bookmark) = setup.db.follow(&reader(config)).map_err(marks)?;
    let queue = config.queue();
    let is_second = endpoint.message() == Message::Request;
    let sends = Sends {
        histograms: is_second || config.send_native_histograms,
        exemplars: is_second || config.send_exemplars,
        metadata: is_second && config.metadata_config.send,
    };
    let labeller =
        Labeller::new(setup.external_labels.to_vec(), config.write_relabel_configs.clone());
    let mut feed = Feed::new(follower, labeller, sends, bookmark.marks().to_vec());
    feed.tell(setup.db.known_metadata());
    let ledger = Arc::new(Ledger::new(Arc::clone(&setup.db), bookmark));
    let clock = Arc::clone(&setup.clock);
    let sending = Arc::new(Sending { endpoint, queue, ledger, clock, stop: stop.clone() });
    Ok(Remote { sending, db: Arc::clone(&setup.db), feed })
}
