//! Where rows are sent: one request out, one verdict back.

use std::{io, path::Path, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

use crate::collect::scrape::{Secret, TlsSettings};
use crate::export::remote_write::{Message, pack};
use crate::net::{AddressPolicy, Client, ClientOptions, Error, Proxy, Request, TlsOptions};

use super::{
    config::{RemoteWriteConfig, RemoteWriteError},
    ledger::Counts,
    plan::{Verdict, judge},
};

/// Reads a file that a setting names.
pub type ReadSecret = Arc<dyn Fn(&Path) -> io::Result<String> + Send + Sync>;

/// Bytes of an answer that are read: an error in words.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// Characters of it that are logged.
const SAID_CHARS: usize = 300;

/// A receiver's door.
pub(super) struct Endpoint {
    name: String,
    config: RemoteWriteConfig,
    client: Client,
    headers: HeaderMap,
    read: ReadSecret,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Endpoint").field(&self.name).finish()
    }
}

impl Endpoint {
    /// # Errors
    /// Where a header, a certificate or a proxy cannot be used.
    pub(super) fn new(
        config: &RemoteWriteConfig,
        addresses: AddressPolicy,
        read: ReadSecret,
    ) -> Result<Self, RemoteWriteError> {
        let tls = config.tls_config.clone().unwrap_or_default();
        let tls = tls_options(&tls, &read).map_err(|why| config.wrong("tls_config", why))?;
        let proxy = config.proxy_url.as_deref().map(str::parse::<Proxy>).transpose();
        let proxy = proxy.map_err(|error| config.wrong("proxy_url", error.to_string()))?;
        let options = ClientOptions { tls, proxy, stays: !config.follow_redirects, addresses };
        let client =
            Client::new(options).map_err(|error| config.wrong("tls_config", error.to_string()))?;
        let mut headers = HeaderMap::new();
        let mut put = |name: &str, value: &str| {
            let bad = |why: String| config.wrong("headers", format!("{name}: {why}"));
            let key = HeaderName::try_from(name).map_err(|error| bad(error.to_string()))?;
            let value = HeaderValue::try_from(value).map_err(|error| bad(error.to_string()))?;
            headers.append(key, value);
            Ok(())
        };
        let message = Message::from(config.protobuf_message);
        put("content-type", message.content_type())?;
        put("content-encoding", "snappy")?;
        put("x-prometheus-remote-write-version", message.version())?;
        for (name, value) in &config.headers {
            put(name, value)?;
        }
        for (name, values) in &config.http_headers {
            let secrets = values.secrets.iter().map(Secret::reveal);
            for value in values.values.iter().map(String::as_str).chain(secrets) {
                put(name, value)?;
            }
            for file in &values.files {
                let value =
                    read(file).map_err(|error| config.wrong("http_headers", error.to_string()))?;
                put(name, value.trim())?;
            }
        }
        let (name, config) = (config.name(), config.clone());
        Ok(Self { name, config, client, headers, read })
    }

    /// The receiver's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Which message it gets.
    pub(super) fn message(&self) -> Message {
        self.config.protobuf_message.into()
    }

    /// Sends a request of `rows` rows. What failed is logged here.
    pub(super) async fn post(
        &self,
        body: &[u8],
        rows: usize,
        attempt: u32,
        counts: &Counts,
    ) -> Verdict {
        Counts::add(&counts.requests, 1);
        let answer = match self.request(body, attempt) {
            Ok(request) => {
                let bytes = request.body.len();
                self.client.send(request).await.inspect(|_| Counts::add(&counts.bytes_sent, bytes))
            }
            Err(error) => Err(error),
        };
        let remote = self.name.as_str();
        match answer {
            Ok(answer) => {
                let status = answer.status.as_u16();
                let again = self.config.queue_config.retry_on_http_429;
                let verdict = judge(status, answer.header("retry-after"), again);
                if verdict != Verdict::Sent {
                    Counts::add(&counts.failures, 1);
                    let said = String::from_utf8_lossy(&answer.body);
                    let said: String = said.trim().chars().take(SAID_CHARS).collect();
                    if verdict == Verdict::Refused {
                        tracing::error!(remote, status, rows, said, "rows were refused: dropped");
                    } else if attempt == 0 {
                        tracing::warn!(remote, status, said, "rows were not taken: trying again");
                    }
                }
                verdict
            }
            Err(error) => {
                Counts::add(&counts.failures, 1);
                if attempt == 0 {
                    tracing::warn!(remote, %error, "rows could not be sent: trying again");
                }
                Verdict::Again(None)
            }
        }
    }

    fn request(&self, body: &[u8], attempt: u32) -> Result<Request, Error> {
        let packed = pack(body).map_err(|_| Error::TooLarge(body.len() as u64))?;
        let request = Request::post(self.config.url.as_str(), packed);
        let mut request = Request {
            headers: self.headers.clone(),
            timeout: self.config.remote_timeout.duration(),
            body_bytes_max: ANSWER_BYTES_MAX,
            ..request
        };
        if let Some(authorization) = self.authorization()? {
            request = request.header("authorization", &authorization)?;
        }
        if attempt > 0 {
            request = request.header("retry-attempt", &attempt.to_string())?;
        }
        Ok(request)
    }

    /// Files are read each time: who changes a password expects no restart.
    fn authorization(&self) -> Result<Option<String>, Error> {
        let config = &self.config;
        if let Some(auth) = &config.basic_auth {
            let user = match &auth.username_file {
                Some(file) => self.secret("username_file", file)?,
                None => auth.username.clone(),
            };
            let password = match (&auth.password, &auth.password_file) {
                (_, Some(file)) => self.secret("password_file", file)?,
                (Some(password), None) => password.reveal().to_owned(),
                (None, None) => String::new(),
            };
            let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
            return Ok(Some(format!("Basic {pair}")));
        }
        if let Some(auth) = &config.authorization {
            let kind = if auth.kind.is_empty() { "Bearer" } else { auth.kind.as_str() };
            let credentials = match (&auth.credentials, &auth.credentials_file) {
                (_, Some(file)) => self.secret("credentials_file", file)?,
                (Some(credentials), None) => credentials.reveal().to_owned(),
                (None, None) => return Ok(None),
            };
            return Ok(Some(format!("{kind} {credentials}")));
        }
        match (&config.bearer_token, &config.bearer_token_file) {
            (_, Some(file)) => {
                Ok(Some(format!("Bearer {}", self.secret("bearer_token_file", file)?)))
            }
            (Some(token), None) => Ok(Some(format!("Bearer {}", token.reveal()))),
            (None, None) => Ok(None),
        }
    }

    fn secret(&self, what: &'static str, file: &Path) -> Result<String, Error> {
        let read = (self.read)(file);
        let read = read.map_err(|source| Error::File { what, file: file.to_owned(), source })?;
        Ok(read.trim().to_owned())
    }
}

fn tls_options(tls: &TlsSettings, read: &ReadSecret) -> Result<TlsOptions, String> {
    let pem = |text: Option<&str>, file: &Option<std::path::PathBuf>| match (text, file) {
        (Some(text), _) => Ok(Some(text.as_bytes().to_vec())),
        (None, Some(file)) => read(file)
            .map(|text| Some(text.into_bytes()))
            .map_err(|error| format!("{}: {error}", file.display())),
        (None, None) => Ok(None),
    };
    Ok(TlsOptions {
        authorities: pem(tls.ca.as_deref(), &tls.ca_file)?,
        certificate: pem(tls.cert.as_deref(), &tls.cert_file)?,
        key: pem(tls.key.as_ref().map(Secret::reveal), &tls.key_file)?,
        server_name: tls.server_name.clone(),
        is_insecure: tls.insecure_skip_verify,
    })
}
