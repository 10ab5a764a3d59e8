//! What has to hold for any bytes of a configuration, a credential, a file of tokens, a certificate.

use quipu::access::{Credential, TokenBook};
use quipu::app::convert_text;
use quipu::http::common_name;

/// A text is a tree or has a place where it is none; what is printed of a tree is a tree.
pub(crate) fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match convert_text("quipu.yml", text) {
        Ok(converted) => {
            assert!(convert_text("converted.yml", &converted.yaml).is_ok(), "{}", converted.yaml);
        }
        Err(faults) => assert!(!faults.to_string().is_empty() && !faults.picture().is_empty()),
    }
}

/// A header is a credential or is refused; a file is a book, which reads as it is printed, or is not.
pub(crate) fn credential(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Credential::from_header(text);
    }
    if let Ok(book) = TokenBook::parse(bytes) {
        assert_eq!(TokenBook::parse(book.print().as_bytes()), Ok(book));
    }
}

/// A certificate has a name or none.
pub(crate) fn certificate(bytes: &[u8]) {
    assert!(common_name(bytes).is_none_or(|name| !name.is_empty()));
}
