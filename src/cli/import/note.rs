//! How far an import is, in a file: what was sent up to there is durable where it went.
//!
//! Two lines: what is imported, and a number. Rows that are sent twice change nothing, so a note may
//! lag behind.

use std::{fs, io, path::PathBuf};

use crate::cli::error::Error;

/// A note, kept or not.
#[derive(Debug)]
pub(super) struct Note {
    path: Option<PathBuf>,
    what: String,
    /// Bytes or milliseconds that are done.
    pub(super) position: Option<i64>,
}

impl Note {
    /// Reads the note at `path`, if one is kept and there.
    pub(super) fn open(path: Option<PathBuf>, what: String) -> Result<Self, Error> {
        let mut note = Self { path, what, position: None };
        let Some(path) = &note.path else { return Ok(note) };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => return Ok(note),
            Err(error) => {
                return Err(Error::Failed(format!("cannot read {}: {error}", path.display())));
            }
        };
        let (what, position) = text.split_once('\n').unwrap_or_default();
        let position = position.trim().parse().ok();
        if what != note.what || position.is_none() {
            return Err(Error::Usage(format!(
                "{} is the note of another import ({what:?}); name another file with --resume",
                path.display()
            )));
        }
        note.position = position;
        Ok(note)
    }

    /// Notes that everything up to `position` is done.
    #[expect(clippy::disallowed_methods, reason = "a file of the person who types, in no database")]
    pub(super) fn keep(&mut self, position: i64) -> Result<(), Error> {
        self.position = Some(position);
        let Some(path) = &self.path else { return Ok(()) };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".tmp");
        let written = fs::write(&unfinished, format!("{}\n{position}\n", self.what))
            .and_then(|()| fs::rename(&unfinished, path));
        written.map_err(|error| Error::Failed(format!("cannot write {}: {error}", path.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_back_and_that_of_another_import_refused() {
        let path = std::env::temp_dir().join(format!("quipu-note-{}", std::process::id()));
        drop(fs::remove_file(&path));
        let open = |what: &str| Note::open(Some(path.clone()), what.to_owned());
        let mut note = open("a file").unwrap();
        assert_eq!(note.position, None);
        note.keep(42).unwrap();
        assert_eq!(open("a file").unwrap().position, Some(42));
        assert!(matches!(open("another"), Err(Error::Usage(_))));
        fs::remove_file(&path).unwrap();
        assert_eq!(Note::open(None, "x".into()).unwrap().position, None);
    }
}
