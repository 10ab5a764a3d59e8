//! One shard of a receiver: rows gather, go out, and are sent again until they are there.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use crate::export::remote_write::encode;
use crate::os::Clock;

use super::{
    endpoint::Endpoint,
    ledger::{Counts, Ledger, Tally},
    piece::{Piece, by_series},
    plan::{Verdict, pause},
    settings::Queue,
};

/// What all shards of a receiver share.
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) endpoint: Endpoint,
    pub(super) queue: Queue,
    pub(super) ledger: Arc<Ledger>,
    pub(super) clock: Arc<dyn Clock>,
    /// True when the process is to end: what does not go out at once stays in the log.
    pub(super) stop: watch::Receiver<bool>,
}

/// One of them.
pub(super) struct Shard {
    pub(super) sending: Arc<Sending>,
    pub(super) tally: Arc<Tally>,
    pub(super) rows: mpsc::Receiver<Vec<Piece>>,
}

impl Shard {
    /// Sends until nothing more comes, or the process is to end and the receiver does not answer.
    pub(super) async fn run(mut self) {
        let rows_max = self.sending.queue.rows_max;
        let mut pending = VecDeque::new();
        loop {
            let is_open = self.gather(&mut pending, rows_max).await;
            while !pending.is_empty() {
                let request = pending.drain(..pending.len().min(rows_max)).collect();
                if !self.send(request).await {
                    return;
                }
                if is_open && pending.len() < rows_max {
                    // What is left waits for company.
                    break;
                }
            }
            if !is_open {
                return;
            }
        }
    }

    /// Waits for a full request, or for what there is when its time is over; false where no more come.
    async fn gather(&mut self, pending: &mut VecDeque<Piece>, rows_max: usize) -> bool {
        if pending.is_empty() {
            let Some(first) = self.rows.recv().await else { return false };
            pending.extend(first);
        }
        let due = sleep(self.sending.queue.deadline);
        tokio::pin!(due);
        while pending.len() < rows_max {
            tokio::select! {
                more = self.rows.recv() => match more {
                    Some(more) => pending.extend(more),
                    None => return false,
                },
                () = &mut due => return true,
            }
        }
        true
    }

    /// Sends rows until they are there or refused; false where the process ends before.
    async fn send(&mut self, mut pieces: Vec<Piece>) -> bool {
        let Some(after) = pieces.last().map(|piece| piece.after) else { return true };
        let count = pieces.len();
        let counts = &self.sending.ledger.counts;
        let mut rest = self.sending.queue.backoff_min;
        for attempt in 0_u32.. {
            self.drop_old(&mut pieces);
            if pieces.is_empty() {
                break;
            }
            let began = self.sending.clock.monotonic();
            let verdict = self.attempt(&pieces, attempt).await;
            let busy = self.sending.clock.monotonic().saturating_sub(began);
            Counts::add(&counts.busy_ns, usize::try_from(busy.as_nanos()).unwrap_or(usize::MAX));
            match verdict {
                Verdict::Sent => {
                    Counts::add(&counts.rows_sent, pieces.len());
                    break;
                }
                Verdict::Refused => {
                    Counts::add(&counts.rows_refused, pieces.len());
                    break;
                }
                Verdict::Again(asked) => {
                    Counts::add(&counts.rows_retried, pieces.len());
                    let (wait, next) = pause(rest, asked, self.sending.queue.backoff_max);
                    rest = next;
                    if !self.wait(wait).await {
                        return false;
                    }
                }
            }
        }
        self.tally.finish(count, after);
        if let Err(error) = self.sending.ledger.save(false) {
            tracing::warn!(%error, "cannot note what was sent: it may be sent again after a restart");
        }
        true
    }

    async fn attempt(&self, pieces: &[Piece], attempt: u32) -> Verdict {
        let mut body = Vec::new();
        let message = self.sending.endpoint.message();
        encode(message, &by_series(pieces.iter()), &mut body);
        self.sending.endpoint.post(&body, pieces.len(), attempt, &self.sending.ledger.counts).await
    }

    /// Rows above the age limit are not worth sending any more.
    fn drop_old(&self, pieces: &mut Vec<Piece>) {
        let Some(limit) = self.sending.queue.age_max else { return };
        let oldest = self.sending.clock.now().saturating_sub(limit);
        let before = pieces.len();
        pieces.retain(|piece| piece.row.time() >= oldest);
        Counts::add(&self.sending.ledger.counts.rows_too_old, before - pieces.len());
    }

    /// Waits; false where the process is to end.
    async fn wait(&self, time: Duration) -> bool {
        let mut stop = self.sending.stop.clone();
        tokio::select! {
            () = sleep(time) => !*self.sending.stop.borrow(),
            // Also where nobody is left to say so.
            _ = stop.wait_for(|stop| *stop) => false,
        }
    }
}
