//! The statements that senders ask before they send: which databases are there, make this one.
//!
//! A database is a label here, so there is nothing to make; it is remembered until rows name it.

use std::{collections::BTreeSet, sync::PoisonError};

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::{Response, StatusCode};

use crate::export::write_string;
use crate::http::{
    Context, Error,
    answer::{JSON, answer, refused},
    influx::routes::marked,
    question::{asked, run},
    routes::Shared,
};
use crate::model::{Ask, Scope, TimeRange};

pub(super) async fn query(State(context): State<Shared>, request: Request) -> Response<Body> {
    match answer_statements(&context, request).await {
        Ok(body) => marked(answer(StatusCode::OK, JSON, body)),
        Err(error) => {
            let mut body = Vec::from(*br#"{"error":"#);
            write_string(&error.to_string(), &mut body);
            body.push(b'}');
            marked(refused(&error, answer(error.status(), JSON, body)))
        }
    }
}

async fn answer_statements(context: &Shared, request: Request) -> Result<Vec<u8>, Error> {
    let asked = asked(context, request).await?;
    let text = asked.params.get("q").unwrap_or_default();
    let statements = Statement::parse_all(text)?;
    if statements.is_empty() {
        return Err(Error::Bad("missing required parameter \"q\"".into()));
    }
    let mut out = Vec::from(*br#"{"results":["#);
    for (i, statement) in statements.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(format!(r#"{{"statement_id":{i}"#).as_bytes());
        match statement {
            Statement::CreateDatabase(name) => {
                let mut created = context.databases.lock().unwrap_or_else(PoisonError::into_inner);
                if created.len() < DATABASES_MAX {
                    created.insert(name);
                }
            }
            Statement::ShowDatabases => write_databases(&databases(context).await?, &mut out),
            Statement::ShowPolicies => out.extend_from_slice(POLICIES),
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}\n");
    Ok(out)
}

/// Names remembered that no row has used.
pub(super) const DATABASES_MAX: usize = 1000;

/// One policy a database, which keeps everything: retention is an option of the server.
const POLICIES: &[u8] = br#","series":[{"columns":["name","duration","shardGroupDuration","replicaN","default"],"values":[["autogen","0s","168h0m0s",1,true]]}]"#;

#[derive(Debug, PartialEq, Eq)]
enum Statement {
    CreateDatabase(String),
    ShowDatabases,
    ShowPolicies,
}

impl Statement {
    fn parse_all(text: &str) -> Result<Vec<Self>, Error> {
        let words = words(text)?;
        words
            .split(|word| *word == Word::End)
            .filter(|statement| !statement.is_empty())
            .map(|statement| Self::parse(statement).ok_or_else(|| unknown(text)))
            .collect()
    }

    fn parse(words: &[Word]) -> Option<Self> {
        let is = |expected: &[&str]| {
            expected.len() <= words.len() && expected.iter().zip(words).all(|(a, b)| b.is(a))
        };
        match words {
            [_, _] if is(&["show", "databases"]) => Some(Self::ShowDatabases),
            [_, _, ..] if is(&["show", "retention", "policies"]) => Some(Self::ShowPolicies),
            [_, _, Word::Plain(name) | Word::Quoted(name), ..]
                if is(&["create", "database"]) && (1..=NAME_MAX).contains(&name.len()) =>
            {
                Some(Self::CreateDatabase(name.clone()))
            }
            _ => None,
        }
    }
}

/// Bytes of a database's name.
pub(super) const NAME_MAX: usize = 255;

fn unknown(text: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    Error::Bad(format!(
        "error parsing query: {shown:?} is not answered here; ask with PromQL at \
         /api/v1/query. Known: SHOW DATABASES, CREATE DATABASE, SHOW RETENTION POLICIES"
    ))
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Plain(String),
    /// A name, without its quotes.
    Quoted(String),
    /// `;`
    End,
}

impl Word {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Plain(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Words between blanks.
fn words(text: &str) -> Result<Vec<Word>, Error> {
    let mut out = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ';' => out.push(Word::End),
            '"' => out.push(Word::Quoted(name(&mut rest)?)),
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '"'))
                {
                    word.push(c);
                }
                out.push(Word::Plain(word));
            }
        }
    }
    Ok(out)
}

/// The rest of a quoted name: blanks and `;` are letters, and `\` keeps what follows as it is.
fn name(rest: &mut impl Iterator<Item = char>) -> Result<String, Error> {
    let mut name = String::new();
    loop {
        match rest.next() {
            Some('"') => return Ok(name),
            Some('\\') => name.extend(rest.next().map(|c| if c == 'n' { '\n' } else { c })),
            Some(c) => name.push(c),
            None => {
                return Err(Error::Bad("error parsing query: a name has no closing quote".into()));
            }
        }
    }
}

/// Databases that rows name, and those that were created.
pub(super) async fn databases(context: &Shared) -> Result<BTreeSet<String>, Error> {
    let mut all = context.databases.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let named = run(context, None, |context: &Context, budget| {
        let ask = Ask { scope: Scope::METRICS, matchers: &[], range: TimeRange::ALL, budget };
        context.doors.source.label_values(&ask, "db").map_err(Error::of_question)
    })
    .await?;
    all.extend(named);
    Ok(all)
}

fn write_databases(names: &BTreeSet<String>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#","series":[{"name":"databases","columns":["name"]"#);
    for (i, name) in names.iter().enumerate() {
        out.extend_from_slice(if i == 0 { br#","values":[["# } else { b",[" });
        write_string(name, out);
        out.push(b']');
    }
    if !names.is_empty() {
        out.push(b']');
    }
    out.extend_from_slice(b"}]");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_known_in_any_case_and_others_name_the_way() {
        for (text, expected) in [
            ("SHOW DATABASES", Statement::ShowDatabases),
            ("show  databases", Statement::ShowDatabases),
            ("CREATE DATABASE \"telegraf\"", Statement::CreateDatabase("telegraf".into())),
            ("create database k6 WITH DURATION 1d", Statement::CreateDatabase("k6".into())),
            ("SHOW RETENTION POLICIES ON \"k6\"", Statement::ShowPolicies),
        ] {
            assert_eq!(Statement::parse_all(text).unwrap(), [expected]);
        }
        let error = Statement::parse_all("SELECT * FROM cpu").unwrap_err().to_string();
        assert!(error.contains("/api/v1/query"), "{error}");
        for text in ["CREATE DATABASE \"\"", "CREATE DATABASE \"a", "CREATE DATABASE", "\\"] {
            assert!(Statement::parse_all(text).is_err(), "{text}");
        }
    }

    /// The Python library quotes every name, and escapes as in the last two.
    #[test]
    fn quoted_names_are_kept_whole() {
        for (text, expected) in [
            (r#"CREATE DATABASE "py 1""#, "py 1"),
            (r#"CREATE DATABASE "a;b" ;"#, "a;b"),
            (r#"CREATE DATABASE "a\"b\\c" WITH NAME x"#, r#"a"b\c"#),
            (r#"CREATE DATABASE "a\nb""#, "a\nb"),
        ] {
            assert_eq!(
                Statement::parse_all(text).unwrap(),
                [Statement::CreateDatabase(expected.into())]
            );
        }
    }

    #[test]
    fn statements_are_told_apart_by_semicolons() {
        let all = Statement::parse_all("; SHOW DATABASES;;show retention policies on x;").unwrap();
        assert_eq!(all, [Statement::ShowDatabases, Statement::ShowPolicies]);
        assert_eq!(Statement::parse_all(" ; ").unwrap(), []);
    }

    #[test]
    fn databases_are_rows_of_one_series() {
        let written = |names: &[&str]| {
            let mut out = Vec::new();
            write_databases(&names.iter().map(|name| (*name).to_owned()).collect(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            written(&["a", "b"]),
            r#","series":[{"name":"databases","columns":["name"],"values":[["a"],["b"]]}]"#
        );
        assert_eq!(written(&[]), r#","series":[{"name":"databases","columns":["name"]}]"#);
    }
}
