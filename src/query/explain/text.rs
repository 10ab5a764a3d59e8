//! An explanation as people read it: a line a part, what it is made of below it.

use std::fmt::{self, Display, Formatter};

use super::tree::{Explained, Node, Ran, Reading};
use crate::query::date::rfc3339;

impl Display for Explained {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_node(f, &self.root, "", "")?;
        let kept = if self.is_kept { "may be kept" } else { "is not kept" };
        writeln!(f, "{} steps; the result {kept} for the next question", self.steps)?;
        if let Some((stats, took, steps_kept)) = &self.ran {
            let millis = took.as_secs_f64() * 1e3;
            writeln!(
                f,
                "ran {millis:.3} ms, {} rows read, {steps_kept} steps kept from earlier questions",
                stats.samples
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

fn write_node(f: &mut Formatter<'_>, node: &Node, first: &str, rest: &str) -> fmt::Result {
    write!(f, "{first}{}", node.what)?;
    if let Some(reading) = &node.reading {
        write!(f, "  {}", Read(reading))?;
    }
    match &node.ran {
        Some(ran) => writeln!(f, "  [{}]", Took(ran))?,
        None => writeln!(f)?,
    }
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (branch, trunk) = if index == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        write_node(f, child, &format!("{rest}{branch}"), &format!("{rest}{trunk}"))?;
    }
    Ok(())
}

struct Read<'a>(&'a Reading);

impl Display for Read<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Reading { range_ms: (first, last), series, rows, bytes, tier } = self.0;
        let time = |millis: &i64| rfc3339(millis.div_euclid(1000));
        let (first, last) = (time(first), time(last));
        write!(f, "({series} series, about {rows} rows, {bytes} bytes, {tier}, {first} to {last})")
    }
}

struct Took<'a>(&'a Ran);

impl Display for Took<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Ran { times, series, samples, took } = self.0;
        write!(f, "{:.3} ms, {series} series, {samples} rows read", took.as_secs_f64() * 1e3)?;
        if *times > 1 { write!(f, ", {times} times") } else { Ok(()) }
    }
}
