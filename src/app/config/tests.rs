//! Files good and bad, read whole.

use std::{fs, path::PathBuf};

use proptest::prelude::*;

use super::*;
use crate::app::config::tree::Node;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("quipu-config-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn load(test: &str, text: &str) -> Result<Loaded, Faults> {
    let folder = Folder::new(test);
    Loader {
        flags: Vec::new(),
        file: Some(folder.with("quipu.yml", text)),
        environment: Box::new(|name| (name == "TOKEN").then(|| "canary-of-the-environment".into())),
    }
    .load()
}

fn lines(test: &str, text: &str) -> Vec<String> {
    let faults = load(test, text).unwrap_err();
    let shown = faults.to_string().replace(&faults.name, "f");
    shown.lines().map(str::to_owned).collect()
}

#[test]
fn every_default_reads_as_it_is_shown() {
    for key in Key::all() {
        let text = (key.show)(&crate::app::Options::default());
        let mut options = crate::app::Options::default();
        (key.set)(&mut options, &text).unwrap_or_else(|why| panic!("{}: {why}", key.path));
        assert_eq!((key.show)(&options), text, "{}", key.path);
    }
}

#[test]
fn no_two_options_share_a_key_or_a_flag() {
    let mut names: Vec<&str> = Key::all().flat_map(|key| [key.path, key.flag]).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for key in Key::all() {
        assert!(SECTIONS.iter().any(|(section, _)| *section == key.parts().0), "{}", key.path);
    }
}

#[test]
fn the_flag_beats_the_variable_beats_the_file_beats_the_default() {
    let folder = Folder::new("precedence");
    let file = folder.with("q.yml", "query:\n  timeout: 1s\n  lookback: 2s\n  series_max: 3\n");
    let shown = file.display().to_string();
    let loader = Loader {
        flags: vec![(Key::of_path("query.timeout").unwrap(), "9s".into())],
        file: Some(file),
        environment: Box::new(|name| match name {
            "QUIPU_QUERY_TIMEOUT" | "QUIPU_QUERY_LOOKBACK" => Some("8s".into()),
            _ => None,
        }),
    };
    let loaded = loader.load().unwrap();
    let setting = |path: &str| {
        let setting = loaded.settings.iter().find(|setting| setting.path == path).unwrap();
        format!("{} {}", setting.text, setting.origin)
    };
    assert_eq!(setting("query.timeout"), "9s --query-timeout");
    assert_eq!(setting("query.lookback"), "8s $QUIPU_QUERY_LOOKBACK");
    assert_eq!(setting("query.series_max"), format!("3 {shown}:4"));
    assert_eq!(setting("query.samples_max"), "2000000000 default");
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let text = "\
server:
  lissten: 127.0.0.1:1
  tls: { cert_file: a.pem, key: b }
storage:
  retention: soon
  sync: always
  mmap: [true]
querry:
  timeout: 1s
access:
  tokens:
    - { name: a, token: short, scopes: [read] }
    - { name: b, scops: [] }
    - { name: c, token: '${TOKEN}', scopes: [reed] }
scrape_configs: []
";
    assert_eq!(
        lines("wrong", text),
        [
            "server.tls.cert_file and server.tls.key_file go together: one is missing",
            "f:2:3: unknown key \"lissten\"; did you mean listen?",
            "f:3:28: unknown key \"key\"; known here: cert_file, key_file, client_ca_file, min_version",
            "f:5:14: expected a time, found \"soon\"; write it like 90s, 5m, 1h30m or 30d",
            "f:6:9: expected one of the words, found \"always\"; it is commit, interval or none",
            "f:7:9: expected true or false, found a list",
            "f:8:1: unknown key \"querry\"; did you mean query?",
            "f:12:7: a token has at least 16 characters, this one 5",
            "f:13:18: unknown key \"scops\"; did you mean scopes?",
            "f:14:45: \"reed\" is no scope: there are read, write and admin",
            "f:15:1: scrape_configs is not read by this version yet; leave the section out",
        ]
    );
}

#[test]
fn what_is_no_configuration_is_said_to_be_none() {
    for (text, says) in [
        ("a: [", "no YAML"),
        ("- 1", "expected keys, found a list"),
        ("server: 7", "expected keys of server, found \"7\""),
        ("server: {}\n---\nserver: {}", "a second document"),
        ("server: {listen: 1.1.1.1:1, listen: 1.1.1.1:1}", "is there twice"),
        ("server:\n  external_url: ${NOBODY}", "the environment has no NOBODY"),
        ("a: &a [*a]", "inside"),
        ("? [a]\n: b", "a key must be text"),
        ("access: {tokens: 1}", "expected a list of tokens"),
        ("access: {users: [{name: a, scopes: [read]}]}", "it needs password_hash"),
        ("access: {tokens: [{name: a, token_file: none, scopes: [read]}]}", "cannot read"),
        ("access: {users: [{name: a, password_hash: x, scopes: [read]}]}", "no argon2id hash"),
    ] {
        let told = lines("none", text).join("\n");
        assert!(told.contains(says), "{text}: {told}");
    }
    assert!(load("nothing", "").is_ok());
    assert!(load("sections", "server:\nquery:\n").is_ok());
}

#[test]
fn a_fault_is_drawn_where_it_is() {
    let faults = load("drawn", "server:\n  listen: nowhere\n").unwrap_err();
    let picture = faults.picture().replace(&faults.name, "q.yml");
    let expected = "\
error: expected an address and port, found \"nowhere\"
  ╭─[ q.yml:2:11 ]
2 │   listen: nowhere
  │           ───┬───
  │              ╰─ write it like 127.0.0.1:7847
──╯
";
    assert_eq!(picture, expected);
}

#[test]
fn secrets_are_read_and_not_shown() {
    let text = "\
access:
  tokens:
    - { name: a, token: '${TOKEN}', scopes: [read] }
    - { name: b, token: canary-in-the-file, scopes: [read, write] }
";
    let loaded = load("secrets", text).unwrap();
    assert_eq!(loaded.policy.tokens.len(), 2);
    for shown in [loaded.yaml(), loaded.yaml_with_origins(), format!("{loaded:?}")] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    assert!(loaded.yaml().contains("token: \"${TOKEN}\""), "{}", loaded.yaml());
}

#[test]
fn what_is_printed_is_a_configuration() {
    let loaded = load(
        "printed",
        "storage: {data: /x}\nquery: {timeout: 7s}\naccess: {allowed_hosts: [a.b, c.d]}",
    )
    .unwrap();
    let again = load("reprinted", &loaded.yaml()).unwrap();
    assert_eq!(again.yaml(), loaded.yaml());
    assert!(again.yaml().contains("timeout: 7s"), "{}", again.yaml());
}

#[test]
fn an_alias_repeats_and_a_bomb_does_not_explode() {
    let text = "query: &q {timeout: 7s}\ningest: {<<: {line_max: 1MiB}}\ncollect: {interval: 5s}\n";
    assert!(load("alias", text).unwrap().yaml().contains("line_max: 1MiB"));
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for i in 1..40 {
        bomb += &format!("a{i}: &a{i} [*a{0}, *a{0}, *a{0}]\n", i - 1);
    }
    assert!(lines("bomb", &bomb).join("").contains("aliases unfolded"));
    let deep = "[".repeat(1000);
    assert!(load("deep", &deep).is_err());
}

#[test]
fn a_file_of_prometheus_is_converted_by_name() {
    let folder = Folder::new("convert");
    let text = "global: {scrape_interval: 15s}\nremote_read: [{url: 'http://x'}]\n\
                storage: {tsdb: {retention: {time: 30d}, out_of_order_time_window: 1h}}\n\
                remote_write: [{url: 'http://x', basic_auth: {password: canary}}]\n";
    let converted = convert(&folder.with("prometheus.yml", text)).unwrap();
    assert!(converted.yaml.contains("storage:\n  retention: 30d\n"), "{}", converted.yaml);
    assert!(!converted.yaml.contains("canary"));
    let notes: Vec<&str> = converted.notes.iter().map(|(key, ..)| key.as_str()).collect();
    for key in ["global", "remote_read", "storage.tsdb.out_of_order_time_window", "remote_write"] {
        assert!(notes.contains(&key), "{notes:?}");
    }
    assert!(load("converted", &converted.yaml).is_ok(), "{}", converted.yaml);
}

#[test]
fn the_schema_has_every_key() {
    let schema = schema();
    for key in Key::all() {
        let pointer: String =
            key.path.split('.').map(|name| format!("/properties/{name}")).collect();
        assert!(schema.pointer(&pointer).is_some(), "{}", key.path);
    }
}

#[test]
fn the_documentation_has_every_key() {
    let page = fs::read_to_string("docs/configuration.md").unwrap();
    assert!(
        page.contains(&reference()),
        "docs/configuration.md is not as the table has it; it should hold:\n{}",
        reference()
    );
}

proptest! {
    #[test]
    fn any_text_is_a_tree_or_a_fault(text in "[ -~\\n\u{e9}]{0,200}") {
        if let Err(faults) = Node::parse(&text, &|_| None) {
            prop_assert!(!faults.is_empty());
            let faults = Faults { name: "f".into(), text, faults };
            let _ = (faults.to_string(), faults.picture());
        }
    }

    #[test]
    fn a_torn_file_is_read_or_refused(cut in 0_usize..400) {
        let text = "server: &a\n  listen: 127.0.0.1:7847\naccess:\n  tokens:\n  - {name: x, token: \
                    \"0123456789abcdef\", scopes: [read]}\nquery: {timeout: 5m, lookback: '1h'}\n";
        let torn = text.get(..cut.min(text.len())).unwrap_or_default();
        let _ = Node::parse(torn, &|_| None);
    }
}
