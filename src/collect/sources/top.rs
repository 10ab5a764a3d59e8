//! The single processes that use most: by CPU, by memory, by input and output.
//!
//! Groups (see `process`) say which program is heavy; these say which of its processes. The number of
//! series is bounded: a process is shown while it is among the first, and then until it falls behind
//! twice as many, so that two of one size do not take turns.

use std::collections::HashSet;

use crate::collect::samples::Samples;

use super::cpu::TICKS_PER_SECOND;
use super::process::{Counts, Process};

/// Whom each ranking showed last, by number and start.
#[derive(Debug)]
pub(super) struct Tops {
    shown_max: usize,
    cpu: HashSet<Identity>,
    memory: HashSet<Identity>,
    io: HashSet<Identity>,
}

/// A process, for ever: numbers are given again, a number with its start is not.
type Identity = (String, u64);

/// A process, and what it used since the last collection.
pub(super) type Used<'a> = (&'a Process, Counts);

fn identity(process: &Process) -> Identity {
    (process.id.clone(), process.start_ticks.to_bits())
}

impl Tops {
    /// Shows about `shown_max` processes in each ranking; 0 shows none.
    pub(super) fn new(shown_max: usize) -> Self {
        let (cpu, memory, io) = Default::default();
        Self { shown_max, cpu, memory, io }
    }

    pub(super) fn is_off(&self) -> bool {
        self.shown_max == 0
    }

    pub(super) fn emit(&mut self, used: &[Used<'_>], page_bytes: f64, out: &mut Samples) {
        if self.is_off() {
            return;
        }
        let busiest =
            chosen(used, &mut self.cpu, self.shown_max, |(_, counts)| counts.user + counts.system);
        let help = "CPU time of a process among those that use most, in seconds.";
        out.counter("top_process_cpu_seconds_total", help);
        for process in busiest {
            let ticks = process.counts.user + process.counts.system;
            row(process, ticks / TICKS_PER_SECOND, out);
        }
        let largest =
            chosen(used, &mut self.memory, self.shown_max, |(process, _)| process.resident_pages);
        let help = "Resident memory of a process among those that hold most, in bytes.";
        out.gauge("top_process_resident_memory_bytes", help);
        for process in largest {
            row(process, process.resident_pages * page_bytes, out);
        }
        let loudest = chosen(used, &mut self.io, self.shown_max, |(_, counts)| {
            counts.read_bytes + counts.written_bytes
        });
        let help = "Bytes a process read from disks, of those that read and write most.";
        out.counter("top_process_read_bytes_total", help);
        for process in &loudest {
            row(process, process.counts.read_bytes, out);
        }
        let help = "Bytes a process wrote to disks, of those that read and write most.";
        out.counter("top_process_written_bytes_total", help);
        for process in &loudest {
            row(process, process.counts.written_bytes, out);
        }
    }
}

fn row(process: &Process, value: f64, out: &mut Samples) {
    out.row(&[("pid", &process.id), ("name", &process.name)], value);
}

/// The first `shown_max` by `use_of`, who use anything at all, and those of `shown` that are not far
/// behind. By number, so that rows come in one order.
fn chosen<'a>(
    used: &[Used<'a>],
    shown: &mut HashSet<Identity>,
    shown_max: usize,
    use_of: impl Fn(&Used<'a>) -> f64,
) -> Vec<&'a Process> {
    let mut ranked: Vec<(f64, &Process)> =
        used.iter().map(|it| (use_of(it), it.0)).filter(|(value, _)| *value > 0.0).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    let near = ranked.into_iter().take(shown_max.saturating_mul(2)).enumerate();
    let mut found: Vec<&Process> = near
        .filter(|(place, (_, process))| *place < shown_max || shown.contains(&identity(process)))
        .map(|(_, (_, process))| process)
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    *shown = found.iter().map(|process| identity(process)).collect();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::samples::shown::check;
    use crate::collect::sources::process::tests::process;

    fn emitted(tops: &mut Tops, told: &[(&str, f64, f64)]) -> Samples {
        let processes: Vec<Process> =
            told.iter().map(|(id, user, pages)| process(id, *user, *pages)).collect();
        let used: Vec<Used<'_>> = processes.iter().map(|it| (it, it.counts)).collect();
        let mut out = Samples::default();
        tops.emit(&used, 4096.0, &mut out);
        out
    }

    #[test]
    fn who_uses_nothing_is_not_shown_and_who_falls_back_a_little_stays() {
        let mut tops = Tops::new(1);
        let out = emitted(&mut tops, &[("7", 900.0, 0.0), ("8", 100.0, 3.0), ("9", 0.0, 1.0)]);
        let expected = [
            r#"top_process_cpu_seconds_total{name="p",pid="7"} 9"#,
            r#"top_process_resident_memory_bytes{name="p",pid="8"} 12288"#,
        ];
        check(&out, 2, &expected);
        // 8 leads now; 7 is second and stays.
        let out = emitted(&mut tops, &[("7", 900.0, 0.0), ("8", 1100.0, 3.0), ("9", 0.0, 1.0)]);
        check(&out, 3, &[r#"top_process_cpu_seconds_total{name="p",pid="7"} 9"#]);
        // 7 is third: it goes.
        let out = emitted(&mut tops, &[("7", 90.0, 0.0), ("8", 1100.0, 3.0), ("9", 100.0, 1.0)]);
        check(&out, 2, &[r#"top_process_cpu_seconds_total{name="p",pid="8"} 11"#]);
    }
}
