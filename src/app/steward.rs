//! Reads the configuration again and applies it, whole or not at all.
//!
//! What can fail is done first and changes nothing: the file, the files it names, certificates, the
//! file of tokens. Then the parts are exchanged, each at once: certificates for connections to come,
//! the policy and the limits for requests to come. Requests that run end as they began.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::access::Policy;
use crate::app::{
    Error, Key, Loaded, Loader, Options, TlsFiles, TokenFile,
    collecting::{Collecting, Into},
    files::read_file,
    scraping::Scraping,
    serve::{engine, http_options},
    tokens::random,
};
use crate::http::{
    self, Access, Control, Gate, Kind, LastReload, Metrics, Reloaded, Sample, Tls, TlsPem, TlsReady,
};
use crate::os::Clock;
use crate::store::Db;

/// Who holds what a reload exchanges.
pub(super) struct Steward {
    loader: Loader,
    gate: Gate,
    pub(super) access: Arc<Access>,
    pub(super) tls: Tls,
    tokens: TokenFile,
    clock: Arc<dyn Clock>,
    quit: Arc<Notify>,
    /// Taken for the whole of a reload, so that there is one at a time; `last` is taken inside it.
    current: Mutex<Current>,
    /// By itself: the collector asks for it, and a reload waits for the collector.
    last: Mutex<LastReload>,
}

struct Current {
    loaded: Loaded,
    /// What tokens are made of, as last read.
    book: Option<Vec<u8>>,
    /// Whether the book could be read when it was tried last: said once.
    is_book_good: bool,
    collecting: Option<Collecting>,
    into: Option<Arc<Into>>,
    scraping: Option<Arc<Scraping>>,
    db: Option<Arc<Db>>,
}

impl Steward {
    /// With a configuration that is in order, and the policy that follows from it.
    pub(super) fn new(
        loader: Loader,
        current: Loaded,
        (gate, tokens): (Gate, TokenFile),
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let book = tokens.bytes()?;
        let policy = policy(&current, &tokens, book.as_deref())?;
        let options = &current.options;
        refuse_exposed(options, &policy)?;
        if options.insecure_no_auth && policy.knows_anybody() {
            tracing::warn!("tokens or users are there, and --insecure-no-auth asks for none");
        }
        let tls = Tls::default();
        tls.put(tls_ready(&options.tls)?);
        let now_ms = clock.now().div_euclid(1_000_000);
        let last = LastReload { is_good: true, good_ms: now_ms, tried_ms: now_ms };
        Ok(Self {
            access: Arc::new(Access::new(policy, &random()?)),
            loader,
            gate,
            tls,
            tokens,
            clock,
            quit: Arc::default(),
            current: Mutex::new(Current {
                loaded: current,
                book,
                is_book_good: true,
                collecting: None,
                into: None,
                scraping: None,
                db: None,
            }),
            last: Mutex::new(last),
        })
    }

    /// Starts what the configuration asks for beside answering.
    pub(super) fn start(
        &self,
        into: Into,
        scraping: Arc<Scraping>,
        db: Arc<Db>,
    ) -> Result<(), Error> {
        let mut current = self.current();
        current.into = Some(Arc::new(into));
        scraping.apply(current.loaded.jobs.clone());
        current.scraping = Some(scraping);
        current.db = Some(db);
        current.keep();
        current.collect()
    }

    /// Ends it.
    pub(super) fn stop(&self) {
        let mut current = self.current();
        if let Some(collecting) = current.collecting.take() {
            collecting.stop();
        }
        current.db = None;
        if let Some(scraping) = current.scraping.take() {
            scraping.stop();
        }
    }

    /// Done when somebody asked for the end by its URL.
    pub(super) fn quitting(&self) -> Arc<Notify> {
        Arc::clone(&self.quit)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the file of tokens is another, and takes it in.
    pub(super) fn look_at_tokens(&self) {
        let mut current = self.current();
        let taken = self.tokens.bytes().and_then(|book| {
            if book == current.book && current.is_book_good {
                return Ok(false);
            }
            self.access.put(policy(&current.loaded, &self.tokens, book.as_deref())?);
            current.book = book;
            Ok(true)
        });
        match taken {
            Ok(false) => {}
            Ok(true) => {
                current.is_book_good = true;
                tracing::info!("the tokens were read again");
            }
            Err(error) => {
                if current.is_book_good {
                    tracing::error!(%error, "the tokens cannot be read: those of before stay");
                }
                current.is_book_good = false;
            }
        }
    }

    /// Applies what the configuration says now.
    fn apply(&self) -> Result<Reloaded, String> {
        let mut current = self.current();
        let applied = self.exchange(&mut current);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_good = applied.is_ok();
        last.tried_ms = self.clock.now().div_euclid(1_000_000);
        if applied.is_ok() {
            last.good_ms = last.tried_ms;
        }
        applied
    }

    fn exchange(&self, current: &mut Current) -> Result<Reloaded, String> {
        let mut loaded = self.loader.load().map_err(|faults| faults.to_string())?;
        let done = difference(&current.loaded, &loaded);
        keep_fixed(&current.loaded, &mut loaded);
        let said = |error: Error| error.to_string();
        let book = self.tokens.bytes().map_err(said)?;
        let policy = policy(&loaded, &self.tokens, book.as_deref()).map_err(said)?;
        refuse_exposed(&loaded.options, &policy).map_err(said)?;
        let ready = tls_ready(&loaded.options.tls).map_err(said)?;

        // From here on nothing fails.
        self.tls.put(ready);
        self.access.put(policy);
        let options = http_options(&loaded);
        let engine = Arc::new(engine(loaded.options.lookback));
        self.gate.change(|context| context.with_options(options, engine));
        if let Some(scraping) =
            current.scraping.as_ref().filter(|_| loaded.jobs != current.loaded.jobs)
        {
            scraping.apply(loaded.jobs.clone());
        }
        let are_kept_anew = loaded.rules != current.loaded.rules;
        let is_collected_anew = done.changed.iter().any(|key| key.starts_with("collect."));
        current.loaded = loaded;
        if are_kept_anew {
            current.keep();
        }
        current.book = book;
        current.is_book_good = true;
        if is_collected_anew && let Err(error) = current.collect() {
            tracing::error!(%error, "this machine is not looked at");
        }
        Ok(done)
    }

    /// Reloads because of a signal: the log is all that can be told.
    pub(super) fn reload_by_signal(&self) {
        // Logged there.
        let _ = self.reload();
    }
}

impl Current {
    fn keep(&self) {
        let Some(db) = &self.db else { return };
        if let Err(error) = db.set_retention_rules(self.loaded.rules.clone()) {
            tracing::error!(%error, "the rules of retention stay as they were");
        }
    }

    fn collect(&mut self) -> Result<(), Error> {
        if let Some(collecting) = self.collecting.take() {
            collecting.stop();
        }
        let options = &self.loaded.options;
        if let Some(into) = self.into.as_ref().filter(|_| options.is_collecting) {
            let started = Collecting::start(options.collect_interval, Arc::clone(into))?;
            self.collecting = Some(started);
        }
        Ok(())
    }
}

impl Control for Steward {
    fn reload(&self) -> Result<Reloaded, http::Error> {
        match self.apply() {
            Ok(done) => {
                let (changed, waiting) = (done.changed.join(" "), done.waiting.join(" "));
                tracing::info!(
                    changed,
                    needs_restart = waiting,
                    "the configuration was read again"
                );
                Ok(done)
            }
            Err(why) => {
                tracing::error!("the configuration stays as it was: {why}");
                Err(http::Error::Internal(format!("failed to reload config: {why}")))
            }
        }
    }

    fn config(&self) -> String {
        self.current().loaded.yaml()
    }

    fn last_reload(&self) -> LastReload {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quit(&self) -> Result<(), http::Error> {
        if !self.current().loaded.options.is_quit_allowed {
            let what = "ending the server by its URL is not allowed: start it with --allow-quit";
            return Err(http::Error::Forbidden(what.into()));
        }
        self.quit.notify_one();
        Ok(())
    }
}

/// Shows how the last reload went.
pub(super) fn watch_reloads(metrics: &Metrics, steward: &Arc<Steward>) {
    const FAMILIES: [(&str, &str); 2] = [
        (
            "quipu_config_last_reload_successful",
            "quipu_config_last_reload_success_timestamp_seconds",
        ),
        (
            "prometheus_config_last_reload_successful",
            "prometheus_config_last_reload_success_timestamp_seconds",
        ),
    ];
    let steward = Arc::downgrade(steward);
    metrics.watch(Box::new(move |samples| {
        let Some(steward) = steward.upgrade() else { return };
        let last = steward.last_reload();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let good_s = last.good_ms as f64 / 1000.0;
        let gauge = |family, help, value| Sample {
            family,
            help,
            kind: Kind::Gauge,
            suffix: "",
            labels: Vec::new(),
            value,
        };
        for (good, time) in FAMILIES {
            let help = "Whether the last reload of the configuration was applied.";
            samples.push(gauge(good, help, f64::from(u8::from(last.is_good))));
            samples.push(gauge(time, "When the last good one was.", good_s));
        }
    }));
}

/// Refuses to be reached by others where nobody could say who they are.
fn refuse_exposed(options: &Options, policy: &Policy) -> Result<(), Error> {
    if options.listen.ip().is_loopback() || policy.is_open || policy.knows_anybody() {
        return Ok(());
    }
    Err(Error::Exposed { address: options.listen, data: options.data.clone() })
}

/// Who is let in: by the configuration and by the file of tokens.
///
/// Nobody is asked where nobody was ever named, on loopback. Striking out the last token lets nobody
/// in, and not everybody: the file is there still.
fn policy(loaded: &Loaded, tokens: &TokenFile, book: Option<&[u8]>) -> Result<Policy, Error> {
    let mut policy = loaded.policy.clone();
    if let Some(bytes) = book {
        policy.add_book(&tokens.parse(bytes)?);
    }
    let options = &loaded.options;
    let was_nobody_named = book.is_none() && !policy.knows_anybody();
    policy.is_open =
        options.insecure_no_auth || (was_nobody_named && options.listen.ip().is_loopback());
    Ok(policy)
}

fn tls_ready(files: &TlsFiles) -> Result<Option<TlsReady>, Error> {
    let (Some(cert), Some(key)) = (&files.cert, &files.key) else { return Ok(None) };
    let client_ca = files.client_ca.as_deref().map(read).transpose()?;
    let pem = TlsPem {
        cert: &read(cert)?,
        key: &read(key)?,
        client_ca: client_ca.as_deref(),
        min_version: files.min_version,
    };
    let file = cert.clone();
    Tls::ready(&pem).map(Some).map_err(|source| Error::Tls { file, source })
}

/// Certificates are small; what is not is another file.
const PEM_BYTES_MAX: u64 = 4 << 20;

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::TlsFile { file: file.to_owned(), source };
    read_file(file, PEM_BYTES_MAX).map_err(failed)
}

/// Which options are others: those that are applied, and those that need a restart.
fn difference(old: &Loaded, new: &Loaded) -> Reloaded {
    let mut done = Reloaded::default();
    for (old, new) in old.settings.iter().zip(&new.settings) {
        if old.text != new.text {
            let is_live = Key::of_path(new.path).is_some_and(|key| key.is_live);
            let list = if is_live { &mut done.changed } else { &mut done.waiting };
            list.push(new.path.to_owned());
        }
    }
    if old.policy != new.policy {
        done.changed.push("access".into());
    }
    if old.jobs != new.jobs {
        done.changed.push("scrape_configs".into());
    }
    if old.rules != new.rules {
        done.changed.push("retention".into());
    }
    done
}

/// What needs a restart is shown, and compared next time, as it is and not as it will be.
fn keep_fixed(old: &Loaded, new: &mut Loaded) {
    let fixed =
        |setting: &&crate::app::Setting| Key::of_path(setting.path).is_some_and(|key| !key.is_live);
    for (old, new) in old.settings.iter().zip(&mut new.settings).filter(|(old, _)| fixed(old)) {
        *new = old.clone();
    }
    let Options { data, listen, mmap, threads, store, .. } = old.options.clone();
    new.options = Options { data, listen, mmap, threads, store, ..new.options.clone() };
}
