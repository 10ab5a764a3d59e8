//! `{"status":"success","data":…,"warnings":[…],"infos":[…]}`, and how refusals look in it.

use axum::{body::Body, response::IntoResponse};
use hyper::Response;

use crate::export::write_string;
use crate::http::{
    Error,
    answer::{JSON, answer, refused},
};

/// Annotations shown of each kind; the others are counted. As Prometheus does.
const SHOWN_MAX: usize = 10;

/// Writes an answer whose data `write` appends.
pub(super) fn success(
    warnings: &[String],
    infos: &[String],
    write: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(br#"{"status":"success","data":"#);
    write(&mut out);
    write_annotations("warnings", "warning", warnings, &mut out);
    write_annotations("infos", "info", infos, &mut out);
    out.push(b'}');
    out
}

fn write_annotations(key: &str, kind: &str, texts: &[String], out: &mut Vec<u8>) {
    if texts.is_empty() {
        return;
    }
    out.extend_from_slice(format!(r#","{key}":["#).as_bytes());
    for (i, text) in texts.iter().take(SHOWN_MAX).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_string(text, out);
    }
    if let Some(more) = texts.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        out.extend_from_slice(format!(r#","{more} more {kind} annotations omitted""#).as_bytes());
    }
    out.push(b']');
}

/// Appends a list of texts.
pub(super) fn write_texts<T: AsRef<str>>(texts: &[T], out: &mut Vec<u8>) {
    write_list(texts, out, |text, out| write_string(text.as_ref(), out));
}

/// Appends a list.
pub(super) fn write_list<T>(items: &[T], out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Refusals have this form wherever a product does not have its own.
impl IntoResponse for Error {
    fn into_response(self) -> Response<Body> {
        self.answer()
    }
}

impl Error {
    /// The answer to who is refused.
    pub(in crate::http) fn answer(&self) -> Response<Body> {
        let mut body = Vec::with_capacity(256);
        body.extend_from_slice(br#"{"status":"error","errorType":"#);
        write_string(self.kind(), &mut body);
        body.extend_from_slice(br#","error":"#);
        write_string(&self.to_string(), &mut body);
        body.push(b'}');
        refused(self, answer(self.status(), JSON, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(warnings: &[String], infos: &[String]) -> String {
        let body = success(warnings, infos, |out| out.extend_from_slice(b"[]"));
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn annotations_are_absent_when_there_are_none_and_capped_at_ten() {
        assert_eq!(written(&[], &[]), r#"{"status":"success","data":[]}"#);
        let many: Vec<String> = (0..12).map(|i| format!("w{i}")).collect();
        let text = written(&many, &["i".into()]);
        assert!(text.ends_with(r#""w9","2 more warning annotations omitted"],"infos":["i"]}"#));
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }
}
