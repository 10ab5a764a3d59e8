//! `quipu config`: check, print, convert.

use std::{
    io::{self, Write},
    path::Path,
};

use crate::app::{Faults, Loader, convert, reference, schema};
use crate::cli::{
    command::Config,
    error::Error,
    serve::{loader, say},
};

pub(super) fn run(config: &Config) -> Result<(), Error> {
    match config {
        Config::Check { file } => check(file),
        Config::Print { config, origin, settings } => {
            let loaded = loader(config.clone(), settings).load().map_err(|it| wrong(&it))?;
            print(&if *origin { loaded.yaml_with_origins() } else { loaded.yaml() })
        }
        Config::Schema => {
            let schema = serde_json::to_string_pretty(&schema());
            print(&format!("{}\n", schema.map_err(|error| Error::Failed(error.to_string()))?))
        }
        Config::Reference => print(&reference()),
        Config::Convert { file } => {
            let converted = convert(file).map_err(|faults| wrong(&faults))?;
            print(&converted.yaml)?;
            for (key, verdict, why) in &converted.notes {
                say(&format!("{key}: {verdict}: {why}"));
            }
            Ok(())
        }
    }
}

fn check(file: &Path) -> Result<(), Error> {
    Loader::of_file(file).load().map_err(|faults| wrong(&faults))?;
    say(&format!("{}: nothing is wrong", file.display()));
    Ok(())
}

/// All that is wrong, drawn.
pub(super) fn wrong(faults: &Faults) -> Error {
    let count = faults.faults.len();
    let what = if count == 1 { "one fault".into() } else { format!("{count} faults") };
    Error::Question(format!("{}{what}", faults.picture()))
}

fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
