//! `quipu serve`.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use crate::app::{self, Loader, Ready};
use crate::cli::{command::Serve, error::Error, settings::Settings};

pub(super) fn run(serve: &Serve) -> Result<(), Error> {
    let loader = loader(serve.config.clone(), &serve.settings);
    let data = loader.load().map(|loaded| loaded.options.data).unwrap_or_default();
    app::serve(loader, |ready| say(&banner(&data.display().to_string(), ready)))?;
    Ok(())
}

/// Where a configuration is read from: this command line, this environment.
pub(super) fn loader(file: Option<PathBuf>, settings: &Settings) -> Loader {
    Loader {
        flags: settings.0.clone(),
        file,
        environment: Box::new(|name| std::env::var(name).ok()),
    }
}

/// Talk: to standard error, where it does not mix with data.
pub(super) fn say(text: &str) {
    // A terminal that is gone cannot be told that it is gone.
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
}

fn banner(data: &str, ready: &Ready) -> String {
    let scheme = if ready.has_tls { "https" } else { "http" };
    let url = format!("{scheme}://{}", ready.address);
    let version = env!("CARGO_PKG_VERSION");
    let (took, found) = (ready.recovery.took.as_secs_f64(), app::describe(&ready.recovery));
    format!(
        "Quipu {version}
  listening  {url}
  data       {data}, recovered in {took:.2} s: {found}
  send       curl {url}/write --data-binary 'room,floor=2 temperature=21.5'
  ask        curl '{url}/api/v1/query?query=room_temperature'
"
    )
}
