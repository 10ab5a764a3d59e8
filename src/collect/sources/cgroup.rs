//! Control groups, version 2: our own, and the top ones (slices, pods, machines).
//!
//! The names are ours: cAdvisor's `container_*` would promise a container where there may be none.
//! `cgroup` is the path as `/proc/PID/cgroup` has it, "/" for the root.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};

use super::system::pressure_seconds;

/// Version 2 alone, or beside version 1.
const ROOTS: [&str; 2] = ["sys/fs/cgroup", "sys/fs/cgroup/unified"];
/// Top groups that are looked at; a machine with more has other tools.
const GROUPS_MAX: usize = 64;
const MICROS: f64 = 0.000_001;

/// Files with a name and a number a line: file, its name, metric, is it a counter, unit, help.
type Field = (&'static str, &'static str, &'static str, bool, f64, &'static str);

const FIELDS: &[Field] = &[
    ("cpu.stat", "user_usec", "cpu_user_seconds_total", true, MICROS, "CPU time in user mode."),
    (
        "cpu.stat",
        "system_usec",
        "cpu_system_seconds_total",
        true,
        MICROS,
        "CPU time in the kernel.",
    ),
    (
        "cpu.stat",
        "nr_periods",
        "cpu_periods_total",
        true,
        1.0,
        "Periods in which a CPU limit held.",
    ),
    (
        "cpu.stat",
        "nr_throttled",
        "cpu_throttled_periods_total",
        true,
        1.0,
        "Periods in which the CPU limit was met.",
    ),
    (
        "cpu.stat",
        "throttled_usec",
        "cpu_throttled_seconds_total",
        true,
        MICROS,
        "Time spent waiting for the next period.",
    ),
    ("memory.stat", "anon", "memory_anon_bytes", false, 1.0, "Memory that no file backs."),
    ("memory.stat", "file", "memory_file_bytes", false, 1.0, "Page cache, shared memory included."),
    (
        "memory.stat",
        "kernel",
        "memory_kernel_bytes",
        false,
        1.0,
        "Memory of the kernel for this group.",
    ),
    (
        "memory.stat",
        "pgmajfault",
        "memory_major_faults_total",
        true,
        1.0,
        "Page faults that read from disk.",
    ),
    (
        "memory.events",
        "max",
        "memory_limit_hits_total",
        true,
        1.0,
        "Times the memory limit was met.",
    ),
    (
        "memory.events",
        "oom_kill",
        "memory_oom_kills_total",
        true,
        1.0,
        "Processes killed for want of memory.",
    ),
];

/// Files with one number, or the word `max` where there is no limit.
const SINGLES: &[(&str, &str, &str)] = &[
    ("memory.current", "memory_usage_bytes", "Memory in use, page cache included."),
    ("memory.max", "memory_limit_bytes", "Memory limit; no row where there is none."),
    ("memory.peak", "memory_peak_bytes", "The most memory in use since the group began."),
    ("memory.swap.current", "memory_swap_bytes", "Memory in swap."),
    ("pids.current", "processes", "Processes and threads."),
    ("pids.max", "processes_limit", "Limit of processes and threads; no row where there is none."),
];

/// Keys of `io.stat`, a line a device.
const IO: &[(&str, &str, &str)] = &[
    ("rbytes", "io_read_bytes_total", "Bytes read."),
    ("wbytes", "io_written_bytes_total", "Bytes written."),
    ("rios", "io_reads_total", "Reads."),
    ("wios", "io_writes_total", "Writes."),
];

pub(super) fn read(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let missing = |source| Error::Read { path: format!("{}/cgroup.controllers", ROOTS[0]), source };
    let is_root = |root: &&str| machine.read(&format!("{root}/cgroup.controllers")).is_ok();
    let found = ROOTS.into_iter().find(is_root);
    let root = found.ok_or_else(|| missing(std::io::ErrorKind::NotFound.into()))?;
    let (groups, is_cut) = groups(machine, root)?;
    emit_fields(machine, root, &groups, out)?;
    emit_singles(machine, root, &groups, out)?;
    emit_io(machine, root, &groups, out)?;
    emit_pressure(machine, root, &groups, out)?;
    if is_cut {
        return Err(Error::TooMany { what: "control groups", limit: GROUPS_MAX });
    }
    Ok(())
}

/// Paths of the top groups and our own, and whether there were too many.
fn groups(machine: &dyn Machine, root: &str) -> Result<(Vec<String>, bool), Error> {
    let names =
        machine.list(root).map_err(|source| Error::Read { path: root.to_owned(), source })?;
    let is_group =
        |name: &String| machine.read(&format!("{root}/{name}/cgroup.controllers")).is_ok();
    let mut groups: Vec<String> = vec!["/".to_owned()];
    groups.extend(names.into_iter().filter(is_group).map(|name| format!("/{name}")));
    let is_cut = groups.len() > GROUPS_MAX;
    groups.truncate(GROUPS_MAX);
    let own = Text::read(machine, "proc/self/cgroup")?;
    let own = own.lines().find_map(|line| line.text.strip_prefix("0::"));
    if let Some(own) = own.filter(|own| groups.iter().all(|group| group != own)) {
        groups.push(own.to_owned());
    }
    Ok((groups, is_cut))
}

fn file(machine: &dyn Machine, root: &str, group: &str, name: &str) -> Option<Text> {
    let folder = group.trim_end_matches('/');
    Text::read(machine, &format!("{root}{folder}/{name}")).ok()
}

fn emit_fields(
    machine: &dyn Machine,
    root: &str,
    groups: &[String],
    out: &mut Samples,
) -> Result<(), Error> {
    for (name, field, metric, is_counter, unit, help) in FIELDS {
        let metric = format!("cgroup_{metric}");
        if *is_counter {
            out.counter(&metric, help)
        } else {
            out.gauge(&metric, help)
        };
        for group in groups {
            let Some(text) = file(machine, root, group, name) else { continue };
            let line = text.lines().find(|line| line.fields().next() == Some(field));
            if let Some(line) = line {
                out.row(&[("cgroup", group)], line.number(1)? * unit);
            }
        }
    }
    Ok(())
}

fn emit_singles(
    machine: &dyn Machine,
    root: &str,
    groups: &[String],
    out: &mut Samples,
) -> Result<(), Error> {
    for (name, metric, help) in SINGLES {
        out.gauge(&format!("cgroup_{metric}"), help);
        for group in groups {
            let text = file(machine, root, group, name).filter(|text| text.trimmed() != "max");
            if let Some(text) = text {
                out.row(&[("cgroup", group)], text.first()?.number(0)?);
            }
        }
    }
    Ok(())
}

fn emit_io(
    machine: &dyn Machine,
    root: &str,
    groups: &[String],
    out: &mut Samples,
) -> Result<(), Error> {
    let devices = devices(machine);
    for (key, metric, help) in IO {
        out.counter(&format!("cgroup_{metric}"), help);
        for group in groups {
            let Some(text) = file(machine, root, group, "io.stat") else { continue };
            for line in text.lines() {
                let number = line.field(0)?;
                let device = devices.iter().find(|(it, _)| it == number);
                let device = device.map_or(number, |(_, name)| name);
                let count = line
                    .fields()
                    .find_map(|pair| pair.split_once('=').filter(|(name, _)| name == key));
                if let Some((_, count)) = count {
                    out.row(&[("cgroup", group), ("device", device)], line.parse(count)?);
                }
            }
        }
    }
    Ok(())
}

/// Numbers (`254:0`) and names of the block devices.
fn devices(machine: &dyn Machine) -> Vec<(String, String)> {
    let Ok(text) = Text::read(machine, "proc/diskstats") else { return Vec::new() };
    let row = |fields: Vec<&str>| match fields[..] {
        [major, minor, name, ..] => Some((format!("{major}:{minor}"), name.to_owned())),
        _ => None,
    };
    text.lines().filter_map(|line| row(line.fields().collect())).collect()
}

fn emit_pressure(
    machine: &dyn Machine,
    root: &str,
    groups: &[String],
    out: &mut Samples,
) -> Result<(), Error> {
    for (kind, word) in [("some", "waiting"), ("full", "stalled")] {
        for resource in ["cpu", "io", "memory"] {
            let metric = format!("cgroup_pressure_{resource}_{word}_seconds_total");
            let help = match word {
                "waiting" => format!("Time in which a process waited for {resource}."),
                _ => format!("Time in which no process went on for want of {resource}."),
            };
            out.counter(&metric, &help);
            for group in groups {
                let Some(text) = file(machine, root, group, &format!("{resource}.pressure")) else {
                    continue;
                };
                if let Some(seconds) = pressure_seconds(&text, kind)? {
                    out.row(&[("cgroup", group)], seconds);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::machine::fake::FakeMachine;
    use crate::collect::samples::shown::check;

    fn machine() -> FakeMachine {
        FakeMachine::default()
            .with("sys/fs/cgroup/cgroup.controllers", "cpu io memory\n")
            .with(
                "sys/fs/cgroup/cpu.stat",
                "usage_usec 3\nuser_usec 2000000\nsystem_usec 1000000\n",
            )
            .with("sys/fs/cgroup/system.slice/cgroup.controllers", "cpu\n")
            .with("sys/fs/cgroup/system.slice/memory.current", "4096\n")
            .with("sys/fs/cgroup/system.slice/memory.max", "max\n")
            .with("sys/fs/cgroup/system.slice/io.stat", "254:0 rbytes=10 wbytes=20 rios=1 wios=2\n")
            .with("sys/fs/cgroup/system.slice/db.service/cgroup.controllers", "\n")
            .with("sys/fs/cgroup/system.slice/db.service/memory.max", "8192\n")
            .with("proc/self/cgroup", "0::/system.slice/db.service\n")
            .with("proc/diskstats", " 254 0 vda 1 2 3\n")
    }

    #[test]
    fn the_top_groups_and_our_own_are_read() {
        let mut out = Samples::default();
        read(&machine(), &mut out).unwrap();
        let expected = [
            r#"cgroup_cpu_user_seconds_total{cgroup="/"} 2"#,
            r#"cgroup_memory_usage_bytes{cgroup="/system.slice"} 4096"#,
            r#"cgroup_memory_limit_bytes{cgroup="/system.slice/db.service"} 8192"#,
            r#"cgroup_io_read_bytes_total{cgroup="/system.slice",device="vda"} 10"#,
        ];
        check(&out, 2 + 1 + 1 + 4, &expected);
    }

    #[test]
    fn a_machine_without_version_two_says_so() {
        let machine = machine().without("sys/fs/cgroup/cgroup.controllers");
        let error = read(&machine, &mut Samples::default()).unwrap_err();
        assert_eq!(error.to_string(), "cannot read /sys/fs/cgroup/cgroup.controllers");
    }
}
