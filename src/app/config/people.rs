//! `access.tokens` and `access.users`: who the file lets in.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::access::{Error, Grant, PasswordHash, Policy, Scopes, Secret, Token, User};
use crate::app::config::{
    fault::Fault,
    load::read_text,
    tree::{Node, Value},
};

/// The keys that are read here.
pub(super) const KEYS: [&str; 2] = ["access.tokens", "access.users"];

/// Who the file lets in.
#[derive(Debug, Default)]
pub(super) struct People {
    pub(super) policy: Policy,
}

/// An item of `access.tokens`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    name: String,
    #[serde(default)]
    token: Option<Secret>,
    #[serde(default)]
    token_file: Option<PathBuf>,
    scopes: Vec<String>,
    #[serde(default)]
    tenant: Option<String>,
}

/// An item of `access.users`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    name: String,
    #[serde(default)]
    password_hash: Option<Secret>,
    #[serde(default)]
    password_hash_file: Option<PathBuf>,
    #[serde(default)]
    certificate: Option<String>,
    scopes: Vec<String>,
    #[serde(default)]
    tenant: Option<String>,
}

/// What the items may hold: name, whether it must be there, what it is. For schema and docs.
pub(super) const TOKEN_FIELDS: &[(&str, bool, &str)] = &[
    ("name", true, "What it is called in logs and refusals"),
    (
        "token",
        false,
        "The token itself, at least 16 characters; write ${NAME} to take it from the environment",
    ),
    ("token_file", false, "A file that holds it, instead"),
    ("scopes", true, "A list of read, write and admin"),
    ("tenant", false, "The only tenant it is for"),
];

/// As [`TOKEN_FIELDS`].
pub(super) const USER_FIELDS: &[(&str, bool, &str)] = &[
    ("name", true, "The name that is typed, and that logs show"),
    ("password_hash", false, "What `quipu token hash-password` prints"),
    ("password_hash_file", false, "A file that holds it, instead"),
    ("certificate", false, "The common name of a client certificate that is theirs"),
    ("scopes", true, "A list of read, write and admin"),
    ("tenant", false, "The only tenant they may use"),
];

/// Reads both lists of the section `access`.
pub(super) fn read(access: &Node, folder: &Path) -> Result<People, Vec<Fault>> {
    let mut people = People::default();
    let mut faults = Vec::new();
    for (list, add) in [("tokens", add_token as Add), ("users", add_user)] {
        let Some(node) = access.get(list) else { continue };
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            Value::Null => &[],
            Value::Scalar(_) | Value::Map(_) => {
                let what = format!("expected a list of {list}, found {}", node.kind());
                faults.push(Fault::at(node.span, what));
                continue;
            }
        };
        for item in items {
            faults.extend(add(item, folder, &mut people.policy).err());
        }
    }
    if faults.is_empty() { Ok(people) } else { Err(faults) }
}

type Add = fn(&Node, &Path, &mut Policy) -> Result<(), Fault>;

fn add_token(item: &Node, folder: &Path, policy: &mut Policy) -> Result<(), Fault> {
    let entry: TokenEntry = item.read()?;
    let at = |error: Error| Fault::at(item.span, error.to_string());
    let text = secret(item, ("token", entry.token), ("token_file", entry.token_file), folder)?;
    let text = text.ok_or_else(|| Fault::at(item.span, "it needs token or token_file"))?;
    let token = Token::chosen(&text).map_err(at)?;
    let grant = grant(item, &entry.name, &entry.scopes, entry.tenant)?;
    if policy.tokens.insert(token.digest, grant).is_some() {
        return Err(Fault::at(item.span, "this token is there twice"));
    }
    Ok(())
}

fn add_user(item: &Node, folder: &Path, policy: &mut Policy) -> Result<(), Fault> {
    let entry: UserEntry = item.read()?;
    let hash = secret(
        item,
        ("password_hash", entry.password_hash),
        ("password_hash_file", entry.password_hash_file),
        folder,
    )?;
    if hash.is_none() && entry.certificate.is_none() {
        let what = "it needs password_hash, password_hash_file or certificate";
        return Err(Fault::at(item.span, what));
    }
    let grant = grant(item, &entry.name, &entry.scopes, entry.tenant)?;
    let twice = |what: &str| Fault::at(item.span, format!("{what} is there twice"));
    if let Some(hash) = hash {
        let hash = PasswordHash::parse(hash.expose())
            .map_err(|error| Fault::at(item.span, error.to_string()))?;
        let user = User { grant: grant.clone(), hash };
        if policy.users.insert(entry.name.clone(), user).is_some() {
            return Err(twice(&format!("user {:?}", entry.name)));
        }
    }
    if let Some(name) = entry.certificate
        && policy.certificates.insert(name.clone(), grant).is_some()
    {
        return Err(twice(&format!("certificate {name:?}")));
    }
    Ok(())
}

fn grant(
    item: &Node,
    name: &str,
    scopes: &[String],
    tenant: Option<String>,
) -> Result<Grant, Fault> {
    let at = |key: &str| item.get(key).map_or(item.span, |node| node.span);
    let scopes: Scopes = scopes
        .iter()
        .map(|scope| scope.parse())
        .collect::<Result<_, Error>>()
        .map_err(|error| Fault::at(at("scopes"), error.to_string()))?;
    if scopes.is_empty() {
        return Err(Fault::at(at("scopes"), "it allows nothing: name read, write or admin"));
    }
    Grant::new(name, scopes, tenant).map_err(|error| Fault::at(at("name"), error.to_string()))
}

/// A secret that stands there, or in a file.
fn secret(
    item: &Node,
    (key, here): (&str, Option<Secret>),
    (file_key, file): (&str, Option<PathBuf>),
    folder: &Path,
) -> Result<Option<Secret>, Fault> {
    match (here, file) {
        (Some(_), Some(_)) => {
            Err(Fault::at(item.span, format!("{key} and {file_key} exclude each other")))
        }
        (Some(secret), None) => Ok(Some(secret)),
        (None, Some(file)) => {
            let span = item.get(file_key).map_or(item.span, |node| node.span);
            let read =
                read_text(&folder.join(file)).map_err(|fault| Fault::at(span, fault.message));
            Ok(Some(Secret::new(read?.trim())))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that serde knows of a type, by the refusal of one that it cannot know.
    fn fields_of<'a, T: Deserialize<'a> + std::fmt::Debug>(node: &'a Node) -> String {
        node.read::<T>().unwrap_err().hint.unwrap()
    }

    #[test]
    fn the_documented_fields_are_those_that_are_read() {
        let node = Node::parse("{ zzzzzzzzzzzzzzzzzzzz: 1 }", &|_| None).unwrap();
        let names = |fields: &[(&str, bool, &str)]| {
            let names: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
            format!("known here: {}", names.join(", "))
        };
        assert_eq!(fields_of::<TokenEntry>(&node), names(TOKEN_FIELDS));
        assert_eq!(fields_of::<UserEntry>(&node), names(USER_FIELDS));
    }
}
