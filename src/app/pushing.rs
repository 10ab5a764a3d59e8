//! What was pushed, written again every minute: a Pushgateway is scraped, and this is its scrape.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use crate::app::Error;
use crate::http::Doors;
use crate::model::Timestamp;

/// A thread that repeats until it is stopped.
pub(super) struct Pushing {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Pushing {
    pub(super) fn start(every: Duration, doors: Doors) -> Result<Self, Error> {
        let (stop, stopped) = channel();
        let thread = Builder::new()
            .name("push".into())
            .spawn(move || run(every, &doors, &stopped))
            .map_err(|source| Error::Start { what: "repeating what was pushed", source })?;
        Ok(Self { stop, thread })
    }

    pub(super) fn stop(self) {
        // Either way the thread ends: by the word, or because nobody can say it any more.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread that repeats pushes panicked");
        }
    }
}

fn run(every: Duration, doors: &Doors, stopped: &Receiver<()>) {
    loop {
        match stopped.recv_timeout(every) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Timestamp(doors.clock.now());
        // The lock is held until the batch is in the sink's queue: what is deleted meanwhile ends
        // behind these rows, not before them.
        let groups = doors.pushed.lock();
        match groups.repeat(now, doors.registry.as_ref()) {
            Ok(batch) if batch.is_empty() => {}
            Ok(batch) => doors.sink.write(
                batch,
                Box::new(|written| {
                    if let Err(error) = written {
                        tracing::warn!(%error, "pushed values were not repeated");
                    }
                }),
            ),
            Err(error) => tracing::warn!(%error, "pushed values were not repeated"),
        }
    }
}
