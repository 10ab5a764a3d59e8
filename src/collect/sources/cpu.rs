//! Processors, and what the kernel counted since boot: `/proc/stat`.

use crate::collect::samples::Samples;
use crate::collect::text::{Line, Text};
use crate::collect::{Error, Machine};

/// Ticks a second in what the kernel shows, on every architecture of today.
pub(super) const TICKS_PER_SECOND: f64 = 100.0;

/// The fields after the processor's name; the last two are also in `user` and `nice`.
const MODES: [&str; 8] = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

/// A counter that falls by less than this did not begin anew: `idle` and `iowait` are estimates, and
/// the kernel takes some of them back (`node_exporter` has met the same, issue 1686).
const FALL_TICKS_MAX: f64 = 3.0 * TICKS_PER_SECOND;

/// Remembers the last figures, as some of them fall now and then.
#[derive(Debug, Default)]
pub(in crate::collect) struct Cpus {
    last: Vec<(String, Vec<f64>)>,
}

impl Cpus {
    pub(super) fn read(&mut self, machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
        self.parse(&Text::read(machine, "proc/stat")?, out)
    }

    fn parse(&mut self, text: &Text, out: &mut Samples) -> Result<(), Error> {
        let mut cpus = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.field(0)?.strip_prefix("cpu").filter(|name| !name.is_empty()) {
                let ticks = line.numbers(1)?;
                if ticks.len() < 4 {
                    return Err(line.malformed("four times or more"));
                }
                cpus.push((name.to_owned(), self.risen(name, ticks)));
            }
        }
        emit_cpus(&cpus, out);
        self.last = cpus;
        text.lines().try_for_each(|line| since_boot(line, out))
    }

    /// `ticks`, with what fell a little kept where it was.
    fn risen(&self, name: &str, ticks: Vec<f64>) -> Vec<f64> {
        let Some((_, last)) = self.last.iter().find(|(it, _)| it == name) else { return ticks };
        let kept = |(now, before): (&f64, &f64)| {
            if now < before && before - now < FALL_TICKS_MAX { *before } else { *now }
        };
        let count = ticks.len().min(last.len());
        let mut risen: Vec<f64> = ticks.iter().zip(last).map(kept).collect();
        risen.extend(ticks.iter().skip(count));
        risen
    }
}

fn emit_cpus(cpus: &[(String, Vec<f64>)], out: &mut Samples) {
    out.counter("node_cpu_seconds_total", "Seconds the CPUs spent in each mode.");
    for (cpu, ticks) in cpus {
        for (mode, ticks) in MODES.iter().zip(ticks) {
            out.row(&[("cpu", cpu), ("mode", mode)], ticks / TICKS_PER_SECOND);
        }
    }
    let help = "Seconds the CPUs spent in guests (VMs) for each mode.";
    out.counter("node_cpu_guest_seconds_total", help);
    for (cpu, ticks) in cpus {
        for (mode, ticks) in ["user", "nice"].iter().zip(ticks.iter().skip(MODES.len())) {
            out.row(&[("cpu", cpu), ("mode", mode)], ticks / TICKS_PER_SECOND);
        }
    }
}

fn since_boot(line: Line<'_>, out: &mut Samples) -> Result<(), Error> {
    let (is_counter, name, help) = match line.field(0)? {
        "intr" => (true, "node_intr_total", "Total number of interrupts serviced."),
        "ctxt" => (true, "node_context_switches_total", "Total number of context switches."),
        "btime" => (false, "node_boot_time_seconds", "Node boot time, in unixtime."),
        "processes" => (true, "node_forks_total", "Total number of forks."),
        "procs_running" => (false, "node_procs_running", "Number of processes in runnable state."),
        "procs_blocked" => {
            let help = "Number of processes blocked waiting for I/O to complete.";
            (false, "node_procs_blocked", help)
        }
        _ => return Ok(()),
    };
    let family = if is_counter { out.counter(name, help) } else { out.gauge(name, help) };
    family.value(line.number(1)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::samples::shown::check;

    const STAT: &str = "\
cpu  5331 35009 8798 308885 3564 0 78 71 8 0
cpu0 2163 17327 4077 156728 504 0 16 34 3 1
cpu1 3167 17682 4720 152156 3059 0 62 37 5 0
intr 484601 0 0 1
ctxt 715858
btime 1795563183
processes 19330
procs_running 1
procs_blocked 0
softirq 278083 0 41280
";

    #[test]
    fn every_mode_of_every_processor_in_seconds() {
        let mut out = Samples::default();
        Cpus::default().parse(&Text::new("proc/stat", STAT), &mut out).unwrap();
        let expected = [
            r#"node_cpu_seconds_total{cpu="0",mode="user"} 21.63"#,
            r#"node_cpu_seconds_total{cpu="1",mode="steal"} 0.37"#,
            r#"node_cpu_guest_seconds_total{cpu="0",mode="nice"} 0.01"#,
            "node_intr_total 484601",
            "node_context_switches_total 715858",
            "node_boot_time_seconds 1795563183",
            "node_forks_total 19330",
            "node_procs_running 1",
            "node_procs_blocked 0",
        ];
        check(&out, 16 + 4 + 6, &expected);
    }

    #[test]
    fn a_counter_that_falls_a_little_stays_and_one_that_falls_far_begins_anew() {
        let mut cpus = Cpus::default();
        let mut after = |idle: &str| {
            let mut out = Samples::default();
            let text = format!("cpu0 1 1 1 {idle} 1\n");
            cpus.parse(&Text::new("proc/stat", &text), &mut out).unwrap();
            out.rows().nth(3).unwrap().1
        };
        assert_eq!(
            [after("1000"), after("900"), after("1001"), after("5")],
            [10.0, 10.0, 10.01, 0.05]
        );
    }

    #[test]
    fn a_word_in_place_of_a_number_is_named() {
        let text = Text::new("proc/stat", "cpu0 1 x 3 4\n");
        let error = Cpus::default().parse(&text, &mut Samples::default()).unwrap_err();
        assert!(error.to_string().contains("/proc/stat, line 1: expected a number"), "{error}");
    }
}
