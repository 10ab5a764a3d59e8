//! `quipu token`: who may use the server.

use std::{
    io::{self, Read, Write},
    time::Duration,
};

use crate::access::{Secret, TokenRecord};
use crate::app::{TokenFile, Wanted, hash_of};
use crate::cli::{
    command::{Files, Format, Token},
    error::Error,
    serve::say,
    table::Table,
};
use crate::http::rfc3339;

/// A password of more bytes is another file.
const PASSWORD_BYTES_MAX: u64 = 4096;

pub(super) fn run(token: &Token) -> Result<(), Error> {
    match token {
        Token::Create { name, scope, tenant, expires, data } => {
            let lives_ms = |lives: Duration| i64::try_from(lives.as_millis()).unwrap_or(i64::MAX);
            let wanted = Wanted {
                name: name.clone(),
                scopes: *scope,
                tenant: tenant.clone(),
                lives_ms: expires.map(lives_ms),
            };
            let (text, made) = TokenFile::open(data, true)?.create(&wanted)?;
            say(&created(&made));
            print(text.expose())
        }
        Token::List(files) => list(files),
        Token::Revoke { token, data } => {
            let gone = TokenFile::open(data, false)?.revoke(token)?;
            say(&format!(
                "token {} ({}) is revoked; a server that runs refuses it within a second",
                gone.name, gone.id
            ));
            Ok(())
        }
        Token::HashPassword => print(hash_of(&password()?)?.as_str()),
    }
}

fn created(made: &TokenRecord) -> String {
    let until = match made.expires_ms {
        Some(end) => format!("until {}", rfc3339(end)),
        None => "for ever".into(),
    };
    format!(
        "token {} ({}) may {} {until}; it is shown this once, and a server that runs takes it within \
         a second. From now on who has no token is asked for one:",
        made.name, made.id, made.scopes
    )
}

fn list(files: &Files) -> Result<(), Error> {
    let book = TokenFile::open(&files.data, false)?.read()?;
    let mut table = Table::new(&["id", "name", "scopes", "tenant", "created", "expires"]);
    for record in book.records() {
        table.push(vec![
            record.id.clone(),
            record.name.clone(),
            record.scopes.to_string(),
            record.tenant.clone().unwrap_or_default(),
            rfc3339(record.created_ms),
            record.expires_ms.map(rfc3339).unwrap_or_default(),
        ]);
    }
    if table.is_empty() && files.format == Format::Table {
        say("there are no tokens");
        return Ok(());
    }
    let mut out = io::stdout().lock();
    table.print(files.format, &mut out)?;
    out.flush()?;
    Ok(())
}

/// The first line of standard input.
fn password() -> Result<Secret, Error> {
    let mut text = String::new();
    io::stdin().lock().take(PASSWORD_BYTES_MAX).read_to_string(&mut text)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let what = "type the password into standard input: printf %s 'secret' | quipu token \
                    hash-password";
        return Err(Error::Usage(what.into()));
    }
    Ok(Secret::new(line))
}

fn print(line: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
