//! The JSON schema of the file, which editors complete and check by.

use serde_json::{Map, Value, json};

use crate::app::config::{
    keys::{Key, Kind, SECTIONS},
    people::{TOKEN_FIELDS, USER_FIELDS},
    sections::FOREIGN,
};

/// The schema, from the table of options.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for (section, help) in SECTIONS {
        properties.insert((*section).into(), object(help));
    }
    for key in Key::all() {
        let names: Vec<&str> = key.path.split('.').collect();
        insert(&mut properties, &names, option(key));
    }
    let lists = [("tokens", TOKEN_FIELDS), ("users", USER_FIELDS)];
    let access = properties.get_mut("access").and_then(|it| it.get_mut("properties"));
    if let Some(access) = access.and_then(Value::as_object_mut) {
        for (name, fields) in lists {
            access.insert(name.into(), json!({ "type": "array", "items": item(fields) }));
        }
    }
    for section in FOREIGN {
        let kind = if section.is_list { "array" } else { "object" };
        let help = match section.read {
            Some(_) => section.help.to_owned(),
            None => format!("{}; not read by this version yet", section.help),
        };
        properties.insert(section.name.into(), json!({ "type": kind, "description": help }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "quipu.yml",
        "description": "The configuration of Quipu. All of it is optional.",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    })
}

/// Puts a schema under its path, into objects that are made on the way.
fn insert(properties: &mut Map<String, Value>, path: &[&str], schema: Value) {
    match path {
        [] => {}
        [name] => {
            properties.insert((*name).into(), schema);
        }
        [name, rest @ ..] => {
            let section = properties.entry(*name).or_insert_with(|| object(""));
            if let Some(inner) = section.get_mut("properties").and_then(Value::as_object_mut) {
                insert(inner, rest, schema);
            }
        }
    }
}

fn object(help: &str) -> Value {
    json!({
        "type": ["object", "null"],
        "description": help,
        "additionalProperties": false,
        "properties": {},
    })
}

fn option(key: &Key) -> Value {
    let filled = "^\\$\\{[A-Za-z_]";
    let default = (key.show)(&crate::app::Options::default());
    let mut schema = match key.kind {
        Kind::Switch => {
            json!({ "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": filled }] })
        }
        Kind::Count => json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": filled },
        ] }),
        Kind::Size => json!({ "type": ["integer", "string"], "examples": ["64MiB", "2GiB"] }),
        Kind::Duration => json!({ "type": "string", "examples": ["90s", "5m", "30d"] }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::List => json!({ "type": ["array", "string"], "items": { "type": "string" } }),
        Kind::Address | Kind::Path | Kind::Text => json!({ "type": "string" }),
    };
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".into(), key.help.into());
        schema.insert("default".into(), typed(key.kind, &default));
    }
    schema
}

fn typed(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Switch => (text == "true").into(),
        Kind::Count => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

fn item(fields: &[(&str, bool, &str)]) -> Value {
    let mut properties = Map::new();
    for (name, _, help) in fields {
        let mut field = json!({ "type": "string", "description": help });
        if *name == "scopes" {
            field = json!({
                "type": "array",
                "items": { "enum": ["read", "write", "admin"] },
                "description": help,
            });
        }
        properties.insert((*name).into(), field);
    }
    let required: Vec<&str> =
        fields.iter().filter(|(_, must, _)| *must).map(|(name, ..)| *name).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required,
        "properties": properties,
    })
}
