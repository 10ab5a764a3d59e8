//! `quipu agent`.

use std::{fmt::Write as _, fs, path::Path};

use crate::app::{self, AgentFile, AgentReady, Options};
use crate::cli::{command::Agent, error::Error, serve::say};
use crate::collect::scrape::ConfigError;
use crate::net::remote_write::RemoteWriteConfig;

/// Where servers take remote write, if only the server is named.
const WRITE_PATH: &str = "/api/v1/write";

pub(super) fn run(agent: &Agent) -> Result<(), Error> {
    let file = file(agent)?;
    let failed = |error: ConfigError| Error::Failed(error.to_string());
    let jobs = file.jobs().map_err(failed)?;
    let options = options(agent, file)?;
    let listens = agent.listen.is_some();
    let folder = agent.config.as_deref().and_then(Path::parent);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    app::run_agent(&options, (jobs, folder), listens, |ready| say(&banner(&options, ready)))?;
    Ok(())
}

fn banner(options: &Options, ready: &AgentReady) -> String {
    let (version, data) = (env!("CARGO_PKG_VERSION"), options.data.display());
    let mut text = format!("Quipu agent {version}\n");
    for receiver in &options.remote_write {
        let _ = writeln!(text, "  sends to   {}", receiver.shown_url());
    }
    let records = ready.recovery.records;
    let _ = writeln!(text, "  buffer     {data}, {records} records in it");
    if options.is_collecting {
        let every = options.collect_interval;
        let _ = writeln!(text, "  collects   this machine, every {} s", every.as_secs_f64());
    }
    if let Some(address) = ready.address {
        let _ = writeln!(text, "  listening  http://{address}");
    }
    text
}

fn file(agent: &Agent) -> Result<AgentFile, Error> {
    let Some(path) = &agent.config else { return Ok(AgentFile::default()) };
    let failed = |why: String| Error::Failed(format!("{}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    AgentFile::read(&text).map_err(failed)
}

fn options(agent: &Agent, file: AgentFile) -> Result<Options, Error> {
    let mut options = Options::agent(agent.buffer_max);
    options.data.clone_from(&agent.data);
    options.is_collecting = !agent.no_collect;
    options.collect_interval = agent.collect_interval;
    options.insecure_no_auth = agent.insecure_no_auth;
    options.external_labels.clone_from(&agent.label);
    options.remote_write = agent.to.iter().map(|url| RemoteWriteConfig::to(whole(url))).collect();
    if let Some(listen) = agent.listen {
        options.listen = listen;
    }
    options.external_labels.extend(file.global.external_labels);
    options.remote_write.extend(file.remote_write);
    if options.remote_write.is_empty() {
        let what = "an agent needs a server: say --to URL, or remote_write in the configuration";
        return Err(Error::Failed(what.into()));
    }
    Ok(options)
}

/// A server's address is completed; what has a path is taken as it is.
fn whole(url: &str) -> String {
    let trimmed = url.trim_end_matches('/');
    let has_path = trimmed.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { url.to_owned() } else { format!("{trimmed}{WRITE_PATH}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_path_is_completed() {
        for (given, expected) in [
            ("http://a:7847", "http://a:7847/api/v1/write"),
            ("http://a:7847/", "http://a:7847/api/v1/write"),
            ("https://a/api/v1/push", "https://a/api/v1/push"),
        ] {
            assert_eq!(whole(given), expected);
        }
    }
}
