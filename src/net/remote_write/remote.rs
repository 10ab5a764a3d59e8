//! One receiver: its log is read, its shards are fed, its books are kept.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use crate::export::remote_write::{Message, encode_metadata};
use crate::model::Metadata;
use crate::store::Db;

use super::{
    feed::{Feed, Step},
    ledger::Counts,
    piece::Piece,
    plan::{Seen, Verdict, shards_wanted},
    shard::{Sending, Shard},
};

/// How often an idle log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long after an error.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How often marks are made to outlive a power cut.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How often the number of shards is reconsidered, as in Prometheus.
const RESHARD_EVERY: Duration = Duration::from_secs(10);
/// How long a request that is under way at the end may take.
const END_WAIT: Duration = Duration::from_secs(5);
/// Times that what metrics are is sent again; then the next round tells it.
const METADATA_TRIES: u32 = 3;

/// A receiver at work.
pub(super) struct Remote {
    pub(super) sending: Arc<Sending>,
    pub(super) db: Arc<Db>,
    pub(super) feed: Feed,
}

/// Its shards, as the feeder sees them.
struct Shards {
    rows: Vec<mpsc::Sender<Vec<Piece>>>,
    tasks: JoinSet<()>,
}

impl Shards {
    fn start(sending: &Arc<Sending>) -> Self {
        let queue = &sending.queue;
        // Each look hands a shard one list of at most a request.
        let lists = (queue.capacity / queue.rows_max).max(1);
        let mut shards = Self { rows: Vec::new(), tasks: JoinSet::new() };
        for tally in sending.ledger.shards() {
            let (rows, theirs) = mpsc::channel(lists);
            shards.rows.push(rows);
            let shard = Shard { sending: Arc::clone(sending), tally, rows: theirs };
            shards.tasks.spawn(shard.run());
        }
        shards
    }

    /// Lets all that was handed out go out, and ends.
    async fn drain(mut self) {
        self.rows.clear();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Remote {
    /// Runs until told to stop.
    pub(super) async fn run(mut self) {
        let metadata = self.tell_metadata();
        let mut shards = Shards::start(&self.sending);
        let (mut synced, mut rate) = (self.now(), Rate::new(&self.sending));
        while !self.is_stopping() {
            let rows_max = self.sending.queue.rows_max * shards.rows.len();
            let (feed, step) = match spawn_blocking(move || {
                let step = self.feed.step(rows_max);
                (self.feed, step)
            })
            .await
            {
                Ok(done) => done,
                Err(panic) => {
                    tracing::error!(%panic, "reading the log for remote write failed inside");
                    return;
                }
            };
            self.feed = feed;
            let (is_at_end, is_between) = (step.is_at_end, step.is_between);
            let rest = self.hand_out(&shards, step).await;
            if self.now() >= synced + SYNC_EVERY {
                self.save(true).await;
                synced = self.now();
            }
            if is_between && let Some(count) = rate.wanted(&self.sending, shards.rows.len()) {
                shards.drain().await;
                if !self.sending.ledger.is_idle() {
                    // Told to stop meanwhile.
                    return self.end(None, metadata).await;
                }
                self.sending.ledger.reshard(count);
                self.feed.reshard(count);
                shards = Shards::start(&self.sending);
            }
            if is_at_end || rest > LOOK_EVERY {
                self.rest(rest).await;
            }
        }
        self.end(Some(shards), metadata).await;
    }

    fn now(&self) -> Duration {
        self.sending.clock.monotonic()
    }

    fn is_stopping(&self) -> bool {
        *self.sending.stop.borrow()
    }

    /// Hands rows to shards, as they have room; how long to rest then.
    async fn hand_out(&self, shards: &Shards, step: Step) -> Duration {
        let ledger = &self.sending.ledger;
        self.count(&step);
        let mut ending = self.sending.stop.clone();
        let before = ledger.handed_out();
        for ((rows, tally), pieces) in shards.rows.iter().zip(ledger.shards()).zip(step.pieces) {
            if pieces.is_empty() {
                continue;
            }
            tally.take(pieces.len(), before);
            tokio::select! {
                // A shard that is gone was told to stop; its rows stay in the log.
                _ = rows.send(pieces) => {}
                _ = ending.wait_for(|stop| *stop) => return Duration::ZERO,
            }
        }
        ledger.hand_out(step.position);
        match step.error {
            None => LOOK_EVERY,
            Some(error) => {
                tracing::warn!(%error, "the log cannot be read for remote write: trying again");
                LOOK_AGAIN
            }
        }
    }

    fn count(&self, step: &Step) {
        let counts = &self.sending.ledger.counts;
        let pairs = [
            (&counts.rows_read, step.rows),
            (&counts.rows_dropped, step.dropped),
            (&counts.rows_unknown, step.unknown),
            (&counts.records_missed, step.missed),
        ];
        for (counter, count) in pairs {
            Counts::add(counter, usize::try_from(count).unwrap_or(usize::MAX));
        }
        if step.missed > 0 {
            let (missed, remote) = (step.missed, self.sending.endpoint.name());
            tracing::warn!(
                missed,
                remote,
                "records were given up before they were sent: the buffer is full; raise its size"
            );
        }
    }

    async fn rest(&self, time: Duration) {
        let mut stop = self.sending.stop.clone();
        tokio::select! {
            () = sleep(time) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn save(&self, durable: bool) {
        let ledger = Arc::clone(&self.sending.ledger);
        // A sync takes as long as the disk likes.
        let saved = spawn_blocking(move || ledger.save(durable)).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, "cannot note what was sent: it may be sent again");
        }
    }

    async fn end(self, shards: Option<Shards>, metadata: Option<JoinHandle<()>>) {
        if let Some(metadata) = metadata {
            metadata.abort();
        }
        if let Some(shards) = shards {
            // What does not go out in time is in the log, and goes out after the next start.
            let _ = timeout(END_WAIT, shards.drain()).await;
        }
        self.save(true).await;
    }

    /// Message 1 tells what metrics are beside the rows, again and again.
    fn tell_metadata(&self) -> Option<JoinHandle<()>> {
        let every = self.sending.queue.metadata_every?;
        if self.sending.endpoint.message() != Message::WriteRequest {
            return None;
        }
        let (sending, db) = (Arc::clone(&self.sending), Arc::clone(&self.db));
        Some(tokio::spawn(async move {
            loop {
                for some in db.known_metadata().chunks(sending.queue.metadata_max) {
                    tell(&sending, some).await;
                }
                sleep(every).await;
            }
        }))
    }
}

async fn tell(sending: &Sending, metadata: &[Metadata]) {
    let mut body = Vec::new();
    encode_metadata(metadata, &mut body);
    let counts = &sending.ledger.counts;
    for attempt in 0..METADATA_TRIES {
        match sending.endpoint.post(&body, metadata.len(), attempt, counts).await {
            Verdict::Sent => {
                Counts::add(&counts.metadata_sent, metadata.len());
                return;
            }
            Verdict::Refused => return,
            Verdict::Again(asked) => sleep(asked.unwrap_or(sending.queue.backoff_max)).await,
        }
    }
}

/// What was counted when the shards were last reckoned.
struct Rate {
    at: Duration,
    read: u64,
    sent: u64,
    busy_ns: u64,
    waiting: u64,
}

impl Rate {
    fn new(sending: &Sending) -> Self {
        let ledger = &sending.ledger;
        let counts = &ledger.counts;
        Self {
            at: sending.clock.monotonic(),
            read: counts.rows_read.load(Relaxed),
            sent: counts.rows_sent.load(Relaxed),
            busy_ns: counts.busy_ns.load(Relaxed),
            waiting: ledger.records_waiting(),
        }
    }

    /// The number of shards to have, where it is time and it is another.
    fn wanted(&mut self, sending: &Sending, now: usize) -> Option<usize> {
        let (least, most) = (sending.queue.shards_min, sending.queue.shards_max);
        if now < least || now > most {
            // Marks of a time when the configuration said otherwise.
            return Some(now.clamp(least, most));
        }
        if least == most || sending.clock.monotonic() < self.at + RESHARD_EVERY {
            return None;
        }
        let next = Self::new(sending);
        let seconds = next.at.saturating_sub(self.at).as_secs_f64();
        let read = as_float(next.read - self.read);
        // What is not read yet is known in records only: they are taken to be as those read.
        let records = as_float(next.waiting);
        let grown = as_float(next.waiting.saturating_sub(self.waiting));
        let per_record = (read / records.max(1.0)).max(1.0);
        let seen = Seen {
            seconds,
            rows_in: read + grown * per_record,
            rows_out: as_float(next.sent - self.sent),
            busy: as_float(next.busy_ns - self.busy_ns) / 1e9,
            rows_waiting: as_float(sending.ledger.waiting() as u64),
        };
        *self = next;
        Some(shards_wanted(seen, now, (least, most))).filter(|wanted| *wanted != now)
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates need no last digit")]
fn as_float(count: u64) -> f64 {
    count as f64
}
