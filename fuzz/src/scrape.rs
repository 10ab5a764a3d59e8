//! What lists of targets and name servers send.

use quipu::collect::scrape::{ScrapeFile, read_groups};
use quipu::net::dns::{Kind, question, read};

/// A list of targets, as JSON and as YAML, and a configuration.
pub(crate) fn targets(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (read_groups(text, true), read_groups(text, false));
    let _ = ScrapeFile::read(text).and_then(|file| file.jobs());
}

/// An answer of a name server: whole, and behind a head that fits the question.
pub(crate) fn dns(bytes: &[u8]) {
    for kind in [Kind::A, Kind::Aaaa, Kind::Ns, Kind::Mx, Kind::Srv] {
        let asked = question(7, "a.b", kind).unwrap_or_default();
        let _ = read(bytes, &asked, kind);
        let mut whole = asked.clone();
        if let Some(head) = whole.get_mut(2..8) {
            head.copy_from_slice(&[0x81, 0x80, 0, 1, 0, 9]);
        }
        whole.extend_from_slice(bytes);
        let _ = read(&whole, &asked, kind);
    }
}
