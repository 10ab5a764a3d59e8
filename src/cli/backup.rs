//! `quipu backup` and `quipu restore`.

use std::{
    io::{self, Write},
    sync::Arc,
};

use serde_json::Value as Json;
use tokio::runtime;

use crate::app::{ArchiveOptions, Steady, archive_place, backup_place, open_store_with_archive};
use crate::cli::{
    backup_words::{BackupVerb, CreateBackup, KeepBackups, PruneBackups, Restore, VerifyBackup},
    client::{Client, FORM, Remote, form},
    command::Format,
    error::Error,
    serve::say,
    table::Table,
    units,
};
use crate::http::rfc3339;
use crate::os::{Clock, Disk, Files, SystemClock};
use crate::store::{
    self, Config,
    backup::{Keep, Repository, Restored, Until, create, prune, restore, verify_backup},
};

fn failed(error: &store::Error) -> Error {
    Error::Failed(error.to_string())
}

fn place(at: &str) -> Result<Repository, Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let blocks = backup_place(at, false).map_err(|error| Error::Failed(error.to_string()))?;
    Repository::open(blocks, clock).map_err(|error| failed(&error))
}

fn print(table: &Table, format: Format) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    table.print(format, &mut out)?;
    out.flush()?;
    Ok(())
}

pub(super) fn run(verb: &BackupVerb) -> Result<(), Error> {
    match verb {
        BackupVerb::Create(words) => match &words.url {
            Some(url) => create_online(url, words),
            None => create_here(words),
        },
        BackupVerb::List(words) => list(&words.from, words.format),
        BackupVerb::Verify(words) => verify(words),
        BackupVerb::Prune(words) => prune_now(words),
    }
}

/// Asks a server, which writes to the place itself.
fn create_online(url: &str, words: &CreateBackup) -> Result<(), Error> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Failed(error.to_string()))?;
    let to = match &words.to {
        to if to.contains("://") => to.clone(),
        to => std::path::absolute(to)?.display().to_string(),
    };
    let got = runtime.block_on(async {
        let mut client = Client::Remote(Box::new(
            Remote::connect(url, words.token.clone().map(|token| token.0)).await?,
        ));
        client.post("/api/v1/admin/backup", FORM, form(&[("to", &to)])).await
    })?;
    let answer: Json = serde_json::from_slice(&got.body).unwrap_or_default();
    if !got.status.is_success() {
        let why = answer.get("error").and_then(Json::as_str).unwrap_or("no reason given");
        return Err(Error::Failed(format!("the server made no backup: {why}")));
    }
    let number = |name: &str| answer.pointer(&format!("/data/{name}")).and_then(Json::as_u64);
    let id = answer.pointer("/data/id").and_then(Json::as_str).unwrap_or_default();
    made(id, number("bytes").unwrap_or(0), number("stored_bytes").unwrap_or(0), &to)
}

/// Opens the directory, which no server may have.
fn create_here(words: &CreateBackup) -> Result<(), Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let blocks = backup_place(&words.to, true).map_err(|error| Error::Failed(error.to_string()))?;
    let repository =
        Repository::make(blocks, Arc::clone(&clock)).map_err(|error| failed(&error))?;
    let config = Config { backs_up_access: words.access, ..Config::default() };
    let archive = |to: &String| archive_place(to, ArchiveOptions::default().wait_max);
    let archive = words.archive.as_ref().map(archive).transpose();
    let archive = archive.map_err(|error| Error::Failed(error.to_string()))?;
    let clocked = (Arc::clone(&clock), config);
    let (db, recovery) = open_store_with_archive(&words.data, (false, true), clocked, archive)?;
    if let Some(finding) = recovery.findings.first() {
        return Err(Error::Failed(format!("{finding}; repair the directory first")));
    }
    let pace = Steady::new(words.rate, clock);
    let done = create(&db, &repository, &pace).map_err(|error| failed(&error));
    db.close();
    let done = done?;
    made(&done.id, done.bytes, done.stored_bytes, &words.to)
}

/// The name is data, the rest is talk.
fn made(id: &str, bytes: u64, stored: u64, to: &str) -> Result<(), Error> {
    say(&format!("backed up {bytes} bytes to {to}, {stored} of them new"));
    writeln!(io::stdout().lock(), "{id}")?;
    Ok(())
}

fn list(from: &str, format: Format) -> Result<(), Error> {
    let listed = place(from)?.list().map_err(|error| failed(&error))?;
    let mut table = Table::new(&["id", "time", "files", "bytes", "position", "database", "state"]);
    let mut damaged = 0;
    for backup in listed {
        table.push(match backup.backup {
            Ok(it) => vec![
                it.id.clone(),
                rfc3339(it.at.div_euclid(1_000_000)),
                it.files.len().to_string(),
                it.bytes().to_string(),
                it.position.to_string(),
                it.database,
                "listed".into(),
            ],
            Err(error) => {
                damaged += 1;
                let none = String::new;
                vec![backup.id, none(), none(), none(), none(), none(), error.to_string()]
            }
        });
    }
    print(&table, format)?;
    if damaged > 0 {
        return Err(Error::Failed(format!("{damaged} backups cannot be read")));
    }
    Ok(())
}

fn verify(words: &VerifyBackup) -> Result<(), Error> {
    let repository = place(&words.from)?;
    let ids = match &words.id {
        Some(id) => vec![id.clone()],
        None => repository.ids().map_err(|error| failed(&error))?,
    };
    if ids.is_empty() {
        return Err(Error::Failed(format!("{} has no backup", words.from)));
    }
    let pace = Steady::new(words.rate, Arc::new(SystemClock::new()));
    let mut table = Table::new(&["backup", "what", "object", "file", "error"]);
    for id in &ids {
        let backup = match repository.load(id) {
            Ok(backup) => backup,
            Err(error @ store::Error::Damaged { .. }) => {
                let cells = [id, "damaged", "", "", &error.to_string()];
                table.push(cells.map(str::to_owned).to_vec());
                continue;
            }
            Err(error) => return Err(failed(&error)),
        };
        let check = verify_backup(&repository, &backup, words.deep, &pace);
        let check = check.map_err(|error| failed(&error))?;
        for trouble in &check.troubles {
            let what = if trouble.is_incomplete { "incomplete" } else { "damaged" };
            let error = trouble.error.to_string();
            let cells = [id, what, &trouble.object, &trouble.file, &error];
            table.push(cells.map(str::to_owned).to_vec());
        }
        let (files, bytes) = (backup.files.len(), backup.bytes());
        let read = if words.deep { "every byte as stored" } else { "every piece there" };
        match check.troubles.len() {
            0 => say(&format!("{id}: {files} files, {bytes} bytes, {read}")),
            count => say(&format!("{id}: {count} pieces are not as they were stored")),
        }
    }
    if table.is_empty() {
        return Ok(());
    }
    print(&table, words.format)?;
    Err(Error::Failed(format!("{} has backups that cannot be restored whole", words.from)))
}

fn prune_now(words: &PruneBackups) -> Result<(), Error> {
    let KeepBackups { last, hourly, daily, weekly, monthly } = words.keep;
    let keep = Keep { last, hourly, daily, weekly, monthly };
    if keep == Keep::default() {
        let what = "say what to keep: --keep-last, --keep-hourly, --keep-daily, …";
        return Err(Error::Usage(what.into()));
    }
    let pruned =
        prune(&place(&words.from)?, keep, words.dry_run).map_err(|error| failed(&error))?;
    let mut table = Table::new(&["backup", "what"]);
    let will = if words.dry_run { "would be removed" } else { "removed" };
    for (ids, what) in [(&pruned.removed, will), (&pruned.kept, "kept")] {
        for id in ids {
            table.push(vec![id.clone(), what.to_owned()]);
        }
    }
    print(&table, words.format)?;
    say(&format!("{} objects, {} bytes {will}", pruned.objects, pruned.bytes));
    Ok(())
}

pub(super) fn restore_now(words: &Restore) -> Result<(), Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let until = match (&words.to_time, words.to_position) {
        (Some(time), _) => {
            let now_ms = clock.now().div_euclid(1_000_000);
            let millis = units::time(time, now_ms).map_err(Error::Usage)?;
            // The whole of the millisecond that was named.
            Some(Until::Time(millis.saturating_mul(1_000_000).saturating_add(999_999)))
        }
        (None, position) => position.map(Until::Position),
    };
    let repository = place(&words.from)?;
    let disk = Disk::create(&words.data)
        .map_err(|error| Error::Failed(format!("cannot use {}: {error}", words.data.display())))?;
    let files: Arc<dyn Files> = Arc::new(disk);
    let pace = Steady::new(words.rate, Arc::clone(&clock));
    let what = (words.backup.as_deref(), until);
    let done = restore((files, clock, Config::default()), &repository, what, &pace);
    say(&told(&done.map_err(|error| failed(&error))?, words));
    Ok(())
}

fn told(done: &Restored, words: &Restore) -> String {
    let data = words.data.display();
    let text = format!(
        "restored {}: {} files, {} bytes\nserve it with: quipu serve --data {data}",
        done.backup, done.files, done.bytes
    );
    let Some(reached) = &done.reached else { return text };
    let (records, rows, position) = (reached.records, reached.rows, reached.position);
    let deletions = match reached.deletions {
        0 => String::new(),
        count => format!(", {count} deletions"),
    };
    let at = match reached.at {
        0 => String::new(),
        at => format!(", written {}", rfc3339(at.div_euclid(1_000_000))),
    };
    let end = if reached.is_end {
        "\nthe archive ends there: what was written later is not in it"
    } else {
        ""
    };
    format!(
        "{text}\nread {records} records of the archive, {rows} rows{deletions}, to position {position}{at}{end}"
    )
}
