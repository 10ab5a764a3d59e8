//! `{"status":"success","data":…,"warnings":[…],"infos":[…]}`, and how refusals look in it.

use axum::{body::Body, response::IntoResponse};
use hyper::Response;

use crate::export::write_string;
use crate::http::{
    Error,
    answer::{JSON, answer, refused},
    outlet::Page,
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
    open(&mut out);
    write(&mut out);
    close(warnings, infos, &mut out);
    out
}

/// What stands before the data of an answer.
pub(super) fn open(out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"status":"success","data":"#);
}

/// What stands behind it.
pub(super) fn close(warnings: &[String], infos: &[String], out: &mut Vec<u8>) {
    write_annotations("warnings", "warning", warnings, out);
    write_annotations("infos", "info", infos, out);
    out.push(b'}');
}

/// Writes a list that may be long.
pub(super) fn write_long<T, P: Page>(
    items: &[T],
    page: &mut P,
    write: impl Fn(&T, &mut P) -> Result<(), Error>,
) -> Result<(), Error> {
    page.out().push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            page.out().push(b',');
        }
        write(item, page)?;
        page.breathe()?;
    }
    page.out().push(b']');
    Ok(())
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
        if let Self::Parse { error, .. } = self {
            write_problems(error, &mut body);
        }
        body.push(b'}');
        refused(self, answer(self.status(), JSON, body))
    }
}

/// Appends what is wrong with a question, each with its place, for who draws it.
fn write_problems(error: &query_lang::ParseError, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","details":"#);
    write_list(error.problems(), out, |problem, out| {
        out.extend_from_slice(br#"{"code":"#);
        write_string(problem.code.as_str(), out);
        out.extend_from_slice(br#","message":"#);
        write_string(&problem.message, out);
        if let Some((line, column)) = error.place(problem) {
            let (start, end) = (problem.span.start, problem.span.end);
            let place = format!(r#","start":{start},"end":{end},"line":{line},"column":{column}"#);
            out.extend_from_slice(place.as_bytes());
        }
        if let Some(hint) = &problem.hint {
            out.extend_from_slice(br#","hint":"#);
            write_string(hint, out);
        }
        out.push(b'}');
    });
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
