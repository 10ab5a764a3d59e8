//! From settings to clients and requests.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::paths::Tree;
use crate::collect::scrape::{HttpSettings, Life, Secret, TlsSettings};
use crate::net::{AddressPolicy, Client, ClientOptions, Error, Request, TlsOptions};

/// Clients by how they connect, so that jobs alike share connections.
#[derive(Debug)]
pub(super) struct Clients {
    pub(super) files: Tree,
    addresses: AddressPolicy,
    made: Mutex<HashMap<ClientOptions, Client>>,
}

impl Clients {
    pub(super) fn new(files: Tree, addresses: AddressPolicy) -> Self {
        Self { files, addresses, made: Mutex::default() }
    }

    /// Lets go of clients that nobody uses any more.
    pub(super) fn forget(&self) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The client for `settings`, whose files are read now.
    pub(super) fn client(&self, settings: &HttpSettings) -> Result<Client, Error> {
        let options = ClientOptions {
            tls: self.tls(&settings.tls)?,
            proxy: settings.proxy_url.as_deref().map(str::parse).transpose()?,
            stays: !settings.follow_redirects,
            addresses: self.addresses,
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&options) {
            return Ok(client.clone());
        }
        let client = Client::new(options.clone())?;
        made.insert(options, client.clone());
        Ok(client)
    }

    fn tls(&self, settings: &TlsSettings) -> Result<TlsOptions, Error> {
        let pem = |what, text: Option<&str>, file: Option<&PathBuf>| match (text, file) {
            (Some(text), _) => Ok(Some(text.as_bytes().to_vec())),
            (None, Some(file)) => {
                let read = self.files.read(file, PEM_BYTES_MAX);
                read.map(Some).map_err(|source| unread(what, file, source))
            }
            (None, None) => Ok(None),
        };
        let key = settings.key.as_ref().map(Secret::reveal);
        Ok(TlsOptions {
            authorities: pem("ca_file", settings.ca.as_deref(), settings.ca_file.as_ref())?,
            certificate: pem("cert_file", settings.cert.as_deref(), settings.cert_file.as_ref())?,
            key: pem("key_file", key, settings.key_file.as_ref())?,
            server_name: settings.server_name.clone(),
            is_insecure: settings.insecure_skip_verify,
        })
    }

    /// `request` with what the settings add to its headers; files are read now, so that secrets may
    /// change without a word.
    pub(super) fn dress(
        &self,
        request: Request,
        settings: &HttpSettings,
    ) -> Result<Request, Error> {
        let mut request = request;
        if let Some(auth) = &settings.basic_auth {
            let user = match &auth.username_file {
                Some(file) => self.secret("username_file", file)?,
                None => auth.username.clone(),
            };
            let password = match (&auth.password, &auth.password_file) {
                (Some(password), _) => password.reveal().to_owned(),
                (None, Some(file)) => self.secret("password_file", file)?,
                (None, None) => String::new(),
            };
            let value = BASE64_STANDARD.encode(format!("{user}:{password}"));
            request = request.header("authorization", &format!("Basic {value}"))?;
        }
        if let Some(auth) = &settings.authorization {
            let credentials = match (&auth.credentials, &auth.credentials_file) {
                (Some(credentials), _) => credentials.reveal().to_owned(),
                (None, Some(file)) => self.secret("credentials_file", file)?,
                (None, None) => String::new(),
            };
            let value = format!("{} {credentials}", auth.kind);
            request = request.header("authorization", value.trim_end())?;
        }
        for (name, values) in &settings.headers {
            for value in &values.values {
                request = request.add_header(name, value)?;
            }
            for value in &values.secrets {
                request = request.add_header(name, value.reveal())?;
            }
            for file in &values.files {
                request = request.add_header(name, &self.secret("http_headers", file)?)?;
            }
        }
        Ok(request)
    }

    fn secret(&self, what: &'static str, file: &Path) -> Result<String, Error> {
        self.files.secret(file).map_err(|source| unread(what, file, source))
    }
}

/// A chain of certificates is some kilobytes, a machine's list of authorities some hundred.
const PEM_BYTES_MAX: u64 = 4 << 20;

fn unread(what: &'static str, file: &Path, source: io::Error) -> Error {
    Error::File { what, file: file.to_owned(), source }
}

/// The request that scrapes a target, without secrets.
pub(super) fn scrape_request(life: &Life) -> Result<Request, Error> {
    let timeout = life.target.timeout.duration();
    let request = Request {
        timeout,
        body_bytes_max: life.job.limits.body_bytes,
        ..Request::get(life.target.url.clone())
    };
    let encoding = if life.job.enable_compression { "gzip" } else { "identity" };
    request
        .header("accept", &life.job.accept)?
        .header("accept-encoding", encoding)?
        .header("x-prometheus-scrape-timeout-seconds", &timeout.as_secs_f64().to_string())
}

/// How a target is fetched: its client, made again where files changed, and its request.
pub(super) struct Fetcher {
    pub(super) clients: Arc<Clients>,
    pub(super) client: Client,
    pub(super) request: Request,
}

impl Fetcher {
    pub(super) fn new(clients: &Arc<Clients>, life: &Life) -> Result<Self, Error> {
        Ok(Self {
            client: clients.client(&life.job.settings)?,
            request: scrape_request(life)?,
            clients: Arc::clone(clients),
        })
    }

    /// Fetches, and gives content type and body.
    pub(super) async fn fetch(&self, life: &Life) -> Result<(String, bytes::Bytes), String> {
        let settings = &life.job.settings;
        let request = self.clients.dress(self.request.clone(), settings);
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.client.send(request).await.map_err(|error| match error {
            limit @ Error::TooLarge(_) => limit.to_string(),
            error => format!("Get {:?}: {error}", life.target.url),
        })?;
        if answer.status != 200 {
            return Err(format!("server returned HTTP status {}", answer.status));
        }
        Ok((answer.header("content-type").to_owned(), answer.body))
    }
}
