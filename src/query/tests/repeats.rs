//! A part that stands in a question twice is evaluated once, and yields the same.

use super::*;

/// As the question, but written so that it is not found to stand there twice.
fn otherwise(text: &str) -> String {
    text.replacen("a_total", "a_total{}", 1)
}

fn shown(answer: Result<Answer, Error>) -> Result<(String, usize), String> {
    let answer = answer.map_err(|error| error.to_string())?;
    Ok((format!("{:?}", answer.value), answer.warnings.len() + answer.infos.len()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_part_that_stands_there_twice_yields_the_same(source in any_source(), count in 0..40i64) {
        let engine = Engine::new(Config { lookback_ms: 400, ..Config::default() });
        for text in QUESTIONS.iter().filter(|text| !text.contains("a_total{")) {
            let when = When::Over { start: 500, end: 500 + count * 100, step: 100 };
            let twice = format!("({text}) or ({text}) or 1 - ({text})");
            let apart = format!("({text}) or ({}) or 1 - ({text})", otherwise(text));
            let twice = shown(ask(&engine, &source, &twice, when));
            prop_assert_eq!(twice, shown(ask(&engine, &source, &apart, when)), "{}", text);
        }
    }
}

#[test]
fn a_part_that_stands_there_twice_is_read_once() {
    let mut source = MemorySource::new();
    let labels = Labels::new([("__name__", "a_total"), ("host", "1")]).unwrap();
    source.add(&labels, (0..100).map(|i| float_row(i * 1000, 1.0)));
    let engine = Engine::default();
    let when = When::Over { start: 0, end: 99_000, step: 1000 };
    let samples = |text: &str| ask(&engine, &source, text, when).unwrap().stats.samples;
    let once = samples("sum(rate(a_total[5s]))");
    assert!(once > 0);
    assert_eq!(samples("sum(rate(a_total[5s])) / sum(rate(a_total[5s]))"), once);
    assert_eq!(samples("a_total > 3 or a_total < 2 or a_total"), once);
    // Parts of a part that is shared are not shared once more.
    assert_eq!(samples("(a_total + 1) / (a_total + 1)"), once);
    // A fold takes rows as they are read: to hold them for two would cost more.
    assert_eq!(samples("sum(rate(a_total[5s])) / count(rate(a_total[5s]))"), once * 2);
    // Elsewhere steps are others.
    assert!(samples("max_over_time(sum(a_total)[10s:1s]) + sum(a_total)") > once);
}

#[test]
fn what_is_said_of_a_part_is_said_of_its_last_place() {
    let mut source = MemorySource::new();
    let labels = Labels::new([("__name__", "gauge")]).unwrap();
    source.add(&labels, (0..100).map(|i| float_row(i * 1000, 1.0)));
    let when = When::Over { start: 0, end: 99_000, step: 1000 };
    let infos = |text| ask(&Engine::default(), &source, text, when).unwrap().infos;
    let together = infos("rate(gauge[5s]) + rate(gauge[5s])");
    assert_eq!(together.len(), 1, "{together:?}");
    assert!(together[0].ends_with("(1:24)"), "{together:?}");
    assert_eq!(together, infos("rate(gauge[5s]) + rate(gauge[0005s])"));
}
