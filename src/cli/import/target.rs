//! Where rows go: a server, or a data directory that is open here. Bodies are sent one after another,
//! those that meet a busy server again.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;

use super::{progress::Meter, words::To};
use crate::app::Local;
use crate::cli::{
    client::{Client, Got, Remote},
    error::Error,
    serve::say,
};

/// How often a body is sent where the server is busy.
const TRIES: u32 = 8;
/// Refusals that are told in words.
const REASONS_SHOWN: usize = 10;

/// A way to write, and what became of what was sent.
pub(super) struct Target {
    client: Client,
    pub(super) meter: Meter,
    /// Rows or lines sent, as far as they were counted.
    pub(super) rows: u64,
    bytes: u64,
    partly_refused: u64,
    reasons: Vec<String>,
}

impl Target {
    pub(super) async fn open(to: &To) -> Result<Self, Error> {
        let client = if let Some(directory) = &to.data {
            Client::Local(Box::new(Local::open_to_write(directory)?))
        } else {
            let token = to.token.clone().map(|token| token.0);
            Client::Remote(Box::new(Remote::connect(&to.to, token).await?))
        };
        Ok(Self {
            client,
            meter: Meter::new(),
            rows: 0,
            bytes: 0,
            partly_refused: 0,
            reasons: Vec::new(),
        })
    }

    /// Sends a body of `rows` rows and waits until it is durable. Rows that are refused for what they
    /// are do not end the import: they are told at its end.
    pub(super) async fn send(
        &mut self,
        path: &str,
        media_type: &'static str,
        body: Vec<u8>,
        rows: u64,
    ) -> Result<(), Error> {
        let body = Bytes::from(body);
        self.bytes += body.len() as u64;
        let mut wait = Duration::from_millis(200);
        for _ in 1..TRIES {
            let got = self.client.post(path, media_type, body.clone()).await?;
            if !is_busy(got.status) {
                return self.take(path, &got, rows);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(10));
        }
        let got = self.client.post(path, media_type, body).await?;
        self.take(path, &got, rows)
    }

    fn take(&mut self, path: &str, got: &Got, rows: u64) -> Result<(), Error> {
        if got.status.is_success() {
            self.rows += rows;
            return Ok(());
        }
        let text = told(got);
        if got.status != StatusCode::BAD_REQUEST {
            return Err(Error::Failed(format!("{path} answered {}: {text}", got.status.as_u16())));
        }
        self.rows += rows;
        self.partly_refused += 1;
        for line in text.lines() {
            if self.reasons.len() < REASONS_SHOWN && !self.reasons.iter().any(|it| it == line) {
                self.reasons.push(line.to_owned());
            }
        }
        Ok(())
    }

    /// Says what was done. `what` is what was counted.
    ///
    /// # Errors
    /// Where rows were refused.
    pub(super) fn finish(mut self, what: &str) -> Result<(), Error> {
        self.meter.end();
        let rate = self.meter.rate(self.rows);
        say(&format!("sent {} {what}, {} bytes, {rate}", self.rows, self.bytes));
        for reason in &self.reasons {
            say(&format!("refused: {reason}"));
        }
        match self.partly_refused {
            0 => Ok(()),
            count => Err(Error::Failed(format!(
                "rows of {count} requests were refused, as told above; all others are written"
            ))),
        }
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// What a server said, without its envelope.
pub(super) fn told(got: &Got) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(&got.body).ok();
    let told = json.as_ref().and_then(|json| json.get("error")?.as_str());
    let text = String::from_utf8_lossy(&got.body);
    told.unwrap_or(text.trim()).to_owned()
}
