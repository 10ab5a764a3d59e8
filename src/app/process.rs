//! What the system says of this process, under the names that all Prometheus clients use.

use std::fs;

use crate::http::{Kind, Sample};

/// Kernel ticks a second in `/proc`: 100 on every Linux that runs this.
const TICKS_A_SECOND: f64 = 100.0;

/// Appends what can be read; what cannot is left out.
pub(super) fn push_process(started_s: f64, samples: &mut Vec<Sample>) {
    let mut push = |family, help, kind, value: Option<f64>| {
        if let Some(value) = value {
            samples.push(Sample { family, help, kind, suffix: "", labels: Vec::new(), value });
        }
    };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is a name in parentheses that may hold anything.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let field = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let cpu = field(11).zip(field(12)).map(|(user, system)| (user + system) / TICKS_A_SECOND);
    push("process_cpu_seconds_total", "User and system CPU time.", Kind::Counter, cpu);
    push("process_threads", "Threads of the process.", Kind::Gauge, field(17));
    push("process_virtual_memory_bytes", "Virtual memory.", Kind::Gauge, field(20));
    push("process_resident_memory_bytes", "Resident memory.", Kind::Gauge, resident_bytes());
    push("process_open_fds", "Open file descriptors.", Kind::Gauge, open_files());
    push("process_max_fds", "Most file descriptors allowed.", Kind::Gauge, files_max());
    let help = "Start of the process, seconds since 1970.";
    push("process_start_time_seconds", help, Kind::Gauge, Some(started_s));
}

#[expect(clippy::cast_precision_loss, reason = "sizes and counts of a process are far below 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(as_float(kib * 1024))
}

fn open_files() -> Option<f64> {
    // Reading the folder opens one more.
    let count = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(as_float(count as u64))
}

fn files_max() -> Option<f64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.map(as_float)
}

/// Raises the soft limit of open files to the hard one: files of the store and connections share it.
pub(super) fn raise_files_max() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_files_and_threads() {
        let mut samples = Vec::new();
        push_process(1.0, &mut samples);
        for family in ["process_resident_memory_bytes", "process_open_fds", "process_threads"] {
            let sample = samples.iter().find(|sample| sample.family == family).unwrap();
            assert!(sample.value > 0.0, "{family}");
        }
    }
}
