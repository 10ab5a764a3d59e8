//! Each action on small label sets, and configurations that are refused.

use proptest::prelude::*;

use super::*;

fn rule(json: &str) -> Result<RelabelRule, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn pairs(text: &str) -> Vec<(&str, &str)> {
    text.split(' ').filter(|it| !it.is_empty()).map(|it| it.split_once('=').unwrap()).collect()
}

/// Runs the rules of a JSON list over labels `a=1 b=2`; "dropped" where they are.
fn run(rules: &str, labels: &str) -> String {
    let rules: Vec<RelabelRule> = serde_json::from_str(rules).unwrap();
    let mut labels = LabelBuilder::from_pairs(pairs(labels));
    if !relabel_in_place(&rules, &mut labels) {
        return "dropped".into();
    }
    let shown: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    shown.join(" ")
}

fn check(rules: &str, labels: &str, expected: &str) {
    assert_eq!(run(rules, labels), expected, "{rules} on {labels}");
}

#[test]
fn replace_sets_the_target_where_the_whole_source_matches() {
    let to_d = r#"[{"source_labels":["a"],"regex":"f(.*)","target_label":"d","replacement":"ch${1}-ch${1}"}]"#;
    check(to_d, "a=foo b=bar", "a=foo b=bar d=choo-choo");
    check(to_d, "a=xfoo", "a=xfoo");
    let joined = r#"[{"source_labels":["a","b"],"regex":"f(.*);(.*)r","target_label":"a","replacement":"b${1}${2}m"}]"#;
    check(joined, "a=foo b=bar c=baz", "a=boobam b=bar c=baz");
    let separator = r#"[{"source_labels":["a","gone","b"],"separator":"/","target_label":"j"}]"#;
    check(separator, "a=1 b=2", "a=1 b=2 j=1//2");
    check(r#"[{"target_label":"env","replacement":"prod"}]"#, "a=1", "a=1 env=prod");
    check(r#"[{"target_label":"a","replacement":""}]"#, "a=1 b=2", "b=2");
    let empties =
        r#"[{"source_labels":["a"],"regex":"(x)?.*","target_label":"a","replacement":"$1"}]"#;
    check(empties, "a=1", "");
}

#[test]
fn targets_may_be_made_of_what_matched() {
    let rule = r#"[{"source_labels":["meta"],"regex":"(.*)-(.*)","target_label":"${1}","replacement":"${2}"}]"#;
    check(rule, "meta=name-value", "meta=name-value name=value");
    // A name that comes out empty is no name.
    check(rule, "meta=-value", "meta=-value");
    let spaced = r#"[{"target_label":"ünïcode.label","replacement":"x"}]"#;
    check(spaced, "a=1", "a=1 ünïcode.label=x");
}

#[test]
fn rules_see_what_those_before_them_did() {
    let rules = r#"[
        {"source_labels":["a"],"target_label":"b"},
        {"source_labels":["b"],"regex":"1","action":"keep"},
        {"source_labels":["b"],"regex":"(.)","target_label":"c","replacement":"$1$1"}]"#;
    check(rules, "a=1", "a=1 b=1 c=11");
    check(rules, "a=2", "dropped");
}

#[test]
fn keep_and_drop_decide_by_expression_or_equality() {
    let keep = r#"[{"source_labels":["a"],"regex":"fo+|bar","action":"keep"}]"#;
    check(keep, "a=foo", "a=foo");
    check(keep, "a=foobar", "dropped");
    check(keep, "b=1", "dropped");
    let drop = r#"[{"source_labels":["a"],"regex":".*o.*","action":"DROP"}]"#;
    check(drop, "a=foo", "dropped");
    check(drop, "a=bar", "a=bar");
    check(r#"[{"source_labels":["a"],"regex":"","action":"drop"}]"#, "b=1", "dropped");
    let equal = |action: &str| {
        format!(r#"[{{"source_labels":["p"],"target_label":"q","action":"{action}"}}]"#)
    };
    check(&equal("keepequal"), "p=80 q=80", "p=80 q=80");
    check(&equal("keepequal"), "p=80 q=81", "dropped");
    check(&equal("dropequal"), "p=80 q=80", "dropped");
    check(&equal("dropequal"), "p=80", "p=80");
}

#[test]
fn a_dot_matches_a_line_end_too() {
    let rules = r#"[{"source_labels":["a"],"regex":"x(.*)y","target_label":"b"}]"#;
    let rules: Vec<RelabelRule> = serde_json::from_str(rules).unwrap();
    let mut labels = LabelBuilder::from_pairs([("a", "x\ny")]);
    assert!(relabel_in_place(&rules, &mut labels));
    assert_eq!(labels.get("b"), "\n");
}

/// The numbers are those of Python's hashlib.
#[test]
fn hashes_are_the_last_half_of_md5() {
    let modulo = |modulus: u64| {
        format!(
            r#"[{{"source_labels":["a"],"target_label":"d","action":"hashmod","modulus":{modulus}}}]"#
        )
    };
    check(&modulo(1000), "a=foo", "a=foo d=696");
    check(&modulo(8), "b=1", "b=1 d=6");
    let two =
        r#"[{"source_labels":["a","b"],"target_label":"d","action":"hashmod","modulus":1000}]"#;
    check(two, "a=a b=b", "a=a b=b d=74");
}

#[test]
fn labels_are_mapped_dropped_and_kept_by_name() {
    let map = r#"[{"regex":"meta_(ng.*)","action":"labelmap"}]"#;
    check(map, "a=foo meta_ng_a=1 meta_x=2", "a=foo meta_ng_a=1 meta_x=2 ng_a=1");
    let to = r#"[{"regex":"(b.*)","replacement":"bar_${1}","action":"labelmap"}]"#;
    check(to, "a=foo b1=x b2=y", "a=foo b1=x b2=y bar_b1=x bar_b2=y");
    check(r#"[{"regex":"b.*","action":"labeldrop"}]"#, "a=1 b1=2 b2=3", "a=1");
    check(r#"[{"regex":"b.*","action":"labelkeep"}]"#, "a=1 b1=2 b2=3", "b1=2 b2=3");
}

#[test]
fn case_is_changed_for_every_script() {
    let rules = r#"[
        {"source_labels":["a"],"target_label":"u","action":"uppercase"},
        {"source_labels":["a"],"target_label":"l","action":"lowercase"}]"#;
    check(rules, "a=bÄr", "a=bÄr l=bär u=BÄR");
}

#[test]
fn what_is_wrong_with_a_rule_is_named() {
    let refused = |json: &str, part: &str| {
        let error = rule(json).unwrap_err();
        assert!(error.contains(part), "{json}: {error}");
    };
    refused(r#"{"action":"hashmod","target_label":"a"}"#, "modulus");
    refused(r#"{"action":"replace"}"#, "target_label is missing");
    refused(r#"{"action":"lowercase"}"#, "target_label is missing");
    refused(r#"{"action":"nope","target_label":"a"}"#, "unknown relabel action \"nope\"");
    refused(r#"{"regex":"(","target_label":"a"}"#, "regex \"(\"");
    refused(r#"{"regexp":"a"}"#, "regexp");
    refused(r#"{"action":"labeldrop","regex":"a","source_labels":["a"]}"#, "source_labels");
    refused(r#"{"action":"labelkeep","regex":"a","replacement":"b"}"#, "replacement");
    refused(r#"{"action":"keepequal","target_label":"a","regex":"b"}"#, "regex");
    refused(r#"{"action":"dropequal","target_label":"a","separator":","}"#, "separator");
    refused(r#"{"action":"uppercase","target_label":"a","replacement":"x"}"#, "replacement");
    refused(r#"{"action":"labelmap","replacement":""}"#, "replacement");
}

#[test]
fn a_rule_is_written_as_it_was_read() {
    let text =
        r#"{"source_labels":["a"],"separator":";","regex":"x","replacement":"$1","action":"keep"}"#;
    let read = rule(text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    assert_eq!(rule(r#"{"source_labels":["a"],"regex":"x","action":"Keep"}"#), Ok(read));
}

proptest! {
    /// Whatever is set and removed, a builder is a sorted map without empty values.
    #[test]
    fn a_builder_is_a_sorted_map(steps: Vec<(u8, Option<u8>)>) {
        let mut builder = LabelBuilder::new();
        let mut map = std::collections::BTreeMap::new();
        for (name, value) in steps {
            let name = format!("l{}", name % 8);
            match value {
                Some(0) => { builder.set(&name, ""); map.remove(&name); }
                Some(value) => {
                    builder.set(&name, value.to_string());
                    map.insert(name, value.to_string());
                }
                None => { builder.remove(&name); map.remove(&name); }
            }
        }
        let expected: Vec<(&str, &str)> = map.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        prop_assert_eq!(builder.iter().collect::<Vec<_>>(), expected);
        prop_assert_eq!(LabelBuilder::from(&builder.labels()), builder);
    }
}
