//! `quipu verify` and `repair`: a data directory without a server.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
    sync::Arc,
};

use crate::app::{ArchiveOptions, archive_place};
use crate::cli::{
    command::{Format, Repair, Verify},
    error::Error,
    serve::say,
    table::Table,
};
use crate::os::{Disk, Files};
use crate::store::{self, Finding};

pub(super) fn open(directory: &Path) -> Result<Arc<dyn Files>, Error> {
    let disk = Disk::open(directory).map_err(|error| {
        let shown = directory.display();
        Error::Failed(format!("cannot use {shown}: {error}; name another with --data"))
    })?;
    Ok(Arc::new(disk))
}

pub(super) fn failed(error: &store::Error) -> Error {
    Error::Failed(error.to_string())
}

pub(super) fn print(table: &Table, format: Format) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    table.print(format, &mut out)?;
    out.flush()?;
    Ok(())
}

pub(super) fn verify(words: &Verify) -> Result<(), Error> {
    let (directory, format) = (&words.files.data, words.files.format);
    let place = |to: &String| archive_place(to, ArchiveOptions::default().wait_max);
    let archive = words.archive.as_ref().map(place).transpose();
    let archive = archive.map_err(|error| Error::Failed(error.to_string()))?;
    let report = store::verify_with_archive(open(directory)?.as_ref(), archive, words.deep)
        .map_err(|error| failed(&error))?;
    for note in &report.notes {
        say(&format!("note: {note}"));
    }
    let shown = directory.display();
    if format != Format::Table || !report.findings.is_empty() {
        print(&findings(&report.findings), format)?;
    }
    if report.findings.is_empty() {
        let (files, rows, series) = (report.files, report.rows, report.series);
        say(&format!("{shown}: {files} files, {rows} rows of {series} series, all as written"));
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{shown} has {} findings; quipu repair --data {shown} --dry-run says what can be done",
        report.findings.len()
    )))
}

fn findings(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["file", "what", "lost", "advice"]);
    for Finding { what, file, lost, advice } in findings {
        table.push(vec![file.clone(), what.clone(), lost.clone(), (*advice).to_owned()]);
    }
    table
}

pub(super) fn repair(words: &Repair) -> Result<(), Error> {
    let directory = &words.files.data;
    let files = open(directory)?;
    if !words.dry_run && !words.yes && !confirmed(directory)? {
        return Err(Error::Failed("nothing was done".into()));
    }
    let repair = store::repair(&files, words.dry_run).map_err(|error| failed(&error))?;
    if repair.findings.is_empty() && repair.actions.is_empty() {
        say(&format!("{}: there is nothing to repair", directory.display()));
        return Ok(());
    }
    print(&findings(&repair.findings), words.files.format)?;
    let will = if words.dry_run { "would: " } else { "done: " };
    for action in &repair.actions {
        say(&format!("{will}{action}"));
    }
    Ok(())
}

/// Asks a person; where there is none to ask, the answer is no.
fn confirmed(directory: &Path) -> Result<bool, Error> {
    if !io::stdin().is_terminal() {
        return Err(Error::Usage("there is nobody to ask: say --dry-run or --yes".into()));
    }
    say(&format!("set damaged files of {} aside? [y/N]", directory.display()));
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "yes"))
}
