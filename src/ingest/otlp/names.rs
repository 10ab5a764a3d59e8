//! Names of metrics, labels and units as Prometheus has them.
//!
//! Source: prometheus/otlptranslator (`metric_namer.go`, `label_namer.go`, `unit_namer.go`).

use crate::ingest::Reason;
use crate::ingest::otlp::{Config, Strategy};

/// What kind of metric is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Gauge,
    /// A sum that only rises.
    Counter,
    Other,
}

/// How names are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    strategy: Strategy,
    is_keyed: bool,
    keeps_underscores: bool,
}

impl Names {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            strategy: config.translation_strategy,
            is_keyed: config.label_name_underscore_sanitization,
            keeps_underscores: config.label_name_preserve_multiple_underscores,
        }
    }

    /// Whether two attributes may become one label.
    pub(super) fn may_collide(self) -> bool {
        self.strategy.is_escaping()
    }

    /// The name of a metric.
    pub(super) fn metric(self, name: &str, unit: &str, named: Named) -> Result<String, Reason> {
        let made = match (self.strategy.is_escaping(), self.strategy.has_suffixes()) {
            (true, true) => escaped_with_suffixes(name, unit, named),
            (true, false) => escaped(name),
            (false, true) => with_suffixes(name, unit, named),
            (false, false) => name.to_owned(),
        };
        let is_bad = made.is_empty() || (made != name && made.bytes().all(|byte| byte == b'_'));
        if is_bad { Err(Reason::Name { what: "metric", name: name.into() }) } else { Ok(made) }
    }

    /// The name of a label.
    pub(super) fn label(self, name: &str) -> Result<String, Reason> {
        let made =
            if self.strategy.is_escaping() { self.escaped_label(name) } else { name.to_owned() };
        if made.bytes().all(|byte| byte == b'_') {
            return Err(Reason::Name { what: "label", name: name.into() });
        }
        Ok(made)
    }

    fn escaped_label(self, name: &str) -> String {
        let mut made = if self.keeps_underscores {
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
        } else {
            collapsed_label(name)
        };
        if made.starts_with(|c: char| c.is_ascii_digit()) {
            made.insert_str(0, "key_");
        } else if self.is_keyed && made.starts_with('_') && !made.starts_with("__") {
            made.insert_str(0, "key");
        }
        made
    }
}

fn collapsed_label(name: &str) -> String {
    let inner = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    let mut made = String::with_capacity(name.len());
    if inner.is_some() {
        made.push_str("__");
    }
    let mut is_after_underscore = false;
    for c in inner.unwrap_or(name).chars() {
        let is_kept = c.is_ascii_alphanumeric();
        if is_kept {
            made.push(c);
        } else if !is_after_underscore {
            made.push('_');
        }
        is_after_underscore = !is_kept;
    }
    if inner.is_some() {
        made.push_str("__");
    }
    made
}

/// A unit as metadata has it: spelled out.
pub(super) fn unit(unit: &str) -> String {
    let (main, per) = unit_suffixes(unit);
    let (main, per) = (cleaned(&main), cleaned(&per));
    let made = match (main.is_empty(), per.is_empty()) {
        (false, false) => format!("{main}_{per}"),
        (false, true) => main,
        (true, _) => per,
    };
    let made = made.strip_prefix('_').unwrap_or(&made);
    made.strip_suffix('_').unwrap_or(made).to_owned()
}

fn is_kept(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

fn escaped(name: &str) -> String {
    let parts = name.split(|c| !is_kept(c) && c != '_').filter(|part| !part.is_empty());
    not_digit_first(parts.collect::<Vec<_>>().join("_"))
}

fn escaped_with_suffixes(name: &str, unit: &str, named: Named) -> String {
    let mut tokens: Vec<&str> =
        name.split(|c| !is_kept(c)).filter(|token| !token.is_empty()).collect();
    let (main, per) = unit_suffixes(unit);
    let (main, per) = (cleaned(&main), cleaned(&per));
    let per = if per == "per_" { "" } else { per.strip_suffix('_').unwrap_or(&per) };
    let per = if tokens.contains(&per) { "" } else { per };
    let mut main = if tokens.contains(&main.as_str()) { "" } else { main.as_str() };
    if !per.is_empty() {
        main = main.strip_suffix('_').unwrap_or(main);
    }
    tokens.extend([main, per].into_iter().filter(|suffix| !suffix.is_empty()));
    let last = match named {
        Named::Counter => Some("total"),
        Named::Gauge if unit == "1" => Some("ratio"),
        Named::Gauge | Named::Other => None,
    };
    if let Some(last) = last {
        tokens.retain(|token| *token != last);
        tokens.push(last);
    }
    not_digit_first(tokens.join("_"))
}

fn not_digit_first(mut name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn with_suffixes(name: &str, unit: &str, named: Named) -> String {
    let is_ratio = named == Named::Gauge && unit == "1";
    let is_total = named == Named::Counter;
    let (main, per) = unit_suffixes(unit);
    let mut made = name;
    // Whichever of them stand there already are taken off, and put back in order.
    for (is_due, suffix) in [(is_ratio, "ratio"), (is_total, "total"), (!per.is_empty(), &per)] {
        if is_due {
            made = without_suffix(made, suffix);
        }
    }
    let mut made = made.to_owned();
    let has_main = main.is_empty() || made.ends_with(&main);
    let suffixes = [(!has_main, &*main), (!per.is_empty(), &*per)];
    for (is_due, suffix) in suffixes.into_iter().chain([(is_total, "total"), (is_ratio, "ratio")]) {
        if is_due {
            made.push('_');
            made.push_str(suffix);
        }
    }
    made
}

fn without_suffix<'a>(name: &'a str, suffix: &str) -> &'a str {
    let end = name.len().checked_sub(suffix.len() + 1).filter(|end| *end > 0);
    match end {
        Some(end) if name.ends_with(suffix) => name.get(..end).unwrap_or(name),
        _ => name,
    }
}

/// The two parts of a unit, spelled out; each empty where there is none to speak of.
fn unit_suffixes(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let spoken = |part: &str| !part.is_empty() && !part.contains(['{', '}']);
    let (main, per) = (main.trim(), per.trim());
    let main = if spoken(main) { spelled(main, UNITS) } else { "" };
    let per = if spoken(per) { spelled(per, PER_UNITS) } else { "" };
    let per = if per.is_empty() { String::new() } else { format!("per_{per}") };
    (main.to_owned(), per)
}

fn spelled<'a>(unit: &'a str, words: &[(&'static str, &'static str)]) -> &'a str {
    words.iter().find(|(short, _)| *short == unit).map_or(unit, |(_, word)| word)
}

/// Only what may stand in a name, underscores never in a row nor at the beginning.
fn cleaned(unit: &str) -> String {
    let mut made = String::with_capacity(unit.len());
    for c in unit.chars().map(|c| if is_kept(c) { c } else { '_' }) {
        if c != '_' || !made.ends_with('_') {
            made.push(c);
        }
    }
    made.strip_prefix('_').map_or(made.clone(), str::to_owned)
}

/// UCUM's units that senders use, in words.
const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

const PER_UNITS: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(translation_strategy: Strategy) -> Names {
        Names::new(&Config { translation_strategy, ..Config::default() })
    }

    /// Prometheus' own cases, of `metric_namer_test.go`: name, unit, kind, what becomes of it.
    fn check(strategy: Strategy, cases: &[(&str, &str, Named, &str)]) {
        for (name, unit, named, expected) in cases {
            let made = names(strategy).metric(name, unit, *named).unwrap_or_default();
            assert_eq!(made, *expected, "{strategy:?} of {name:?} in {unit:?}");
        }
    }

    #[test]
    fn escaped_with_suffixes() {
        use Named::{Counter, Gauge, Other};
        check(
            Strategy::UnderscoreEscapingWithSuffixes,
            &[
                ("requests", "", Counter, "requests_total"),
                ("cpu_usage", "1", Gauge, "cpu_usage_ratio"),
                ("items", "1", Counter, "items_total"),
                ("response_time", "ms", Gauge, "response_time_milliseconds"),
                ("memory_usage", "By", Gauge, "memory_usage_bytes"),
                ("requests", "1/s", Gauge, "requests_per_second"),
                ("throughput", "By/s", Gauge, "throughput_bytes_per_second"),
                ("custom_metric", "custom_unit", Gauge, "custom_metric_custom_unit"),
                ("custom_metric", "{custom}", Gauge, "custom_metric"),
                ("custom_metric", "By/{custom}", Gauge, "custom_metric_bytes"),
                ("requests_total", "", Counter, "requests_total"),
                ("total_requests", "", Counter, "requests_total"),
                ("cpu_usage_ratio", "1", Gauge, "cpu_usage_ratio"),
                ("response_time_seconds", "s", Gauge, "response_time_seconds"),
                (
                    "metric__with__multiple__underscores",
                    "unit__multiple__underscores",
                    Gauge,
                    "metric_with_multiple_underscores_unit_multiple_underscores",
                ),
                (
                    "custom_metric",
                    "unit@with#special/chars",
                    Gauge,
                    "custom_metric_unit_with_special_per_chars",
                ),
                ("@#$%", "", Gauge, ""),
                ("request_duration", "s", Other, "request_duration_seconds"),
                ("active_connections", "", Other, "active_connections"),
                ("uptime", "d", Gauge, "uptime_days"),
                (
                    "http.server.request.duration",
                    "s",
                    Other,
                    "http_server_request_duration_seconds",
                ),
                ("system.cpu.time", "s", Counter, "system_cpu_time_seconds_total"),
                ("system.filesystem.usage", "By", Other, "system_filesystem_usage_bytes"),
                ("123.go", "", Gauge, "_123_go"),
                ("fuel", "%", Gauge, "fuel_percent"),
                ("speed", "m/s", Gauge, "speed_meters_per_second"),
                ("a:b", "", Gauge, "a:b"),
            ],
        );
    }

    #[test]
    fn escaped_without_suffixes() {
        use Named::{Counter, Gauge};
        check(
            Strategy::UnderscoreEscapingWithoutSuffixes,
            &[
                ("simple_metric", "", Gauge, "simple_metric"),
                ("metric@with#special$chars", "", Gauge, "metric_with_special_chars"),
                ("123metric", "", Gauge, "_123metric"),
                ("", "", Gauge, ""),
                ("metric@@##$$name", "", Gauge, "metric_name"),
                ("@#$%", "", Gauge, ""),
                ("@_#_$_%", "", Gauge, ""),
                ("___", "", Gauge, "___"),
                ("http.requests", "By", Counter, "http_requests"),
            ],
        );
    }

    #[test]
    fn suffixes_without_escaping() {
        use Named::{Counter, Gauge, Other};
        check(
            Strategy::NoUTF8EscapingWithSuffixes,
            &[
                ("requests_total", "", Counter, "requests_total"),
                ("cpu_usage_ratio", "1", Gauge, "cpu_usage_ratio"),
                ("response_time_seconds", "s", Gauge, "response_time_seconds"),
                ("cpu_seconds_total", "s", Counter, "cpu_seconds_total"),
                ("otelcol_process_cpu_seconds", "s", Counter, "otelcol_process_cpu_seconds_total"),
                ("requêsts", "", Counter, "requêsts_total"),
                ("cpu_usagé", "1", Gauge, "cpu_usagé_ratio"),
                ("respønse_time", "ms", Gauge, "respønse_time_milliseconds"),
                ("requêsts", "1/s", Gauge, "requêsts_per_second"),
                ("requêsts", "1/s", Counter, "requêsts_per_second_total"),
                ("@#$%", "", Counter, "@#$%_total"),
                ("http.server.duration", "s", Other, "http.server.duration_seconds"),
                ("", "", Gauge, ""),
            ],
        );
    }

    #[test]
    fn no_translation_leaves_names_alone() {
        let cases = [("métric.with_ñ", "s", Named::Counter, "métric.with_ñ")];
        check(Strategy::NoTranslation, &cases);
    }

    #[test]
    fn a_suffix_is_never_cut_within_a_character() {
        assert_eq!(without_suffix("étotal", "total"), "étotal");
        assert_eq!(without_suffix("a_total", "total"), "a");
        assert_eq!(without_suffix("total", "total"), "total");
    }

    #[test]
    fn units_are_spelled_out() {
        for (short, long) in [
            ("", ""),
            ("s", "seconds"),
            ("1", ""),
            ("1/s", "per_second"),
            ("By/s", "bytes_per_second"),
            ("{requests}", ""),
            ("unit__multiple__underscores", "unit_multiple_underscores"),
            ("unit@with#special/chars", "unit_with_special_per_chars"),
        ] {
            assert_eq!(unit(short), long, "{short:?}");
        }
    }

    /// Of `label_namer_test.go`: the label; as it is by default; with underscores collapsed; collapsed
    /// and without `key`.
    #[test]
    fn labels_as_prometheus_names_them() {
        let of = |keeps, is_keyed, label: &str| {
            let config = Config {
                label_name_preserve_multiple_underscores: keeps,
                label_name_underscore_sanitization: is_keyed,
                ..Config::default()
            };
            Names::new(&config).label(label).unwrap_or_default()
        };
        for (label, default, collapsed, bare) in [
            ("label:with:colons", "label_with_colons", "label_with_colons", "label_with_colons"),
            ("Capital", "Capital", "Capital", "Capital"),
            ("label!with&chars)", "label_with_chars_", "label_with_chars_", "label_with_chars_"),
            ("foreign_字符", "foreign___", "foreign_", "foreign_"),
            (".foo", "key_foo", "key_foo", "_foo"),
            ("123label", "key_123label", "key_123label", "key_123label"),
            ("_under", "key_under", "key_under", "_under"),
            ("__two", "__two", "key_two", "_two"),
            ("ようこそ", "", "key_", ""),
            ("a__b", "a__b", "a_b", "a_b"),
            (
                "__reserved__label__",
                "__reserved__label__",
                "__reserved_label__",
                "__reserved_label__",
            ),
            ("trailing___", "trailing___", "trailing_", "trailing_"),
            ("", "", "", ""),
            ("__", "", "key_", ""),
        ] {
            assert_eq!(of(true, true, label), default, "{label:?}");
            assert_eq!(of(false, true, label), collapsed, "{label:?}");
            assert_eq!(of(false, false, label), bare, "{label:?}");
        }
        let utf8 = names(Strategy::NoTranslation);
        assert_eq!(utf8.label("http.méthod").unwrap(), "http.méthod");
        assert!(utf8.label("__").is_err() && utf8.label("").is_err());
    }
}
