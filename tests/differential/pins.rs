//! A question whose every selector is fixed by `@` has one answer, whenever it is asked.

use quipu::query::{Question, When};

use crate::node::{Dialect, Times};
use crate::stores::Store;
use crate::value::Value;
use crate::{fixed, generate, seed_of, shapes, stores};

const QUESTIONS: usize = 3_000;
/// Those whose answer depends on the time all the same are left out; so many must be left.
const COMPARED_MIN: usize = 1_500;

/// Values by series, to the bit; by time only where the answer is rows.
fn cells(value: &Value) -> Vec<String> {
    let is_rows = matches!(value, Value::Matrix(_));
    let cells = value.cells().into_iter();
    cells
        .map(|(labels, time, value)| line(&labels, if is_rows { time } else { 0 }, value))
        .collect()
}

/// The same of one step.
fn cells_at(value: &Value, at: i64) -> Vec<String> {
    let cells = value.cells().into_iter().filter(|(_, time, _)| *time == at);
    cells.map(|(labels, _, value)| line(&labels, 0, value)).collect()
}

fn line(labels: &str, time: i64, value: f64) -> String {
    let value = if value.is_nan() { f64::NAN } else { value };
    format!("{labels} {time} {:x}", value.to_bits())
}

fn check(store: &Store, index: usize) -> bool {
    let case = generate::case(seed_of(11, index));
    let time = case.times.start;
    let whole = Times { start: time, end: time, step: 0 };
    let text = case.root.pinned(whole).print(Dialect::Ours);
    let Ok(mut question) = Question::parse(&text, When::At(time)) else { return false };
    let expected = store.answer(&question);
    if !fixed::fix(&mut question.expr, time) {
        return false;
    }
    let refused = matches!(expected, Value::Failed(_));
    for other in fixed::other_times(time) {
        question.when = When::At(other);
        let found = store.answer(&question);
        assert_eq!(matches!(found, Value::Failed(_)), refused, "{index}: {text} at {other}");
        assert_eq!(cells(&found), cells(&expected), "{index}: {text} at {other}");
    }
    if !matches!(expected, Value::Vector(_)) {
        return true;
    }
    let times = [time - 77_000, time - 10_000, time + 57_000];
    question.when = When::Over { start: times[0], end: times[2], step: 67_000 };
    let over = store.answer(&question);
    for time in times {
        assert_eq!(
            cells_at(&over, time),
            cells(&expected),
            "{index}: {text} over steps, at {time}"
        );
    }
    true
}

#[test]
fn what_is_fixed_by_at_has_one_answer_whenever_it_is_asked() {
    let stores = stores::all(&shapes::all(5));
    let parts = stores.iter().find(|store| store.state == "parts").unwrap();
    let compared = (0..QUESTIONS).filter(|index| check(parts, *index)).count();
    assert!(compared >= COMPARED_MIN, "{compared} compared");
}
