//! This process: `process_*`, as Prometheus' client libraries name it.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};

use super::cpu::TICKS_PER_SECOND;
use super::process::{boot_seconds, parse_stat};

/// Bytes of a memory page; 4096 where the kernel does not say.
pub(in crate::collect) fn page_bytes(machine: &dyn Machine) -> f64 {
    const USUAL: f64 = 4096.0;
    let Ok(text) = Text::read(machine, "proc/self/smaps") else { return USUAL };
    let line = text.lines().find(|line| line.text.starts_with("KernelPageSize:"));
    line.and_then(|line| line.number(1).ok()).map_or(USUAL, |kilobytes| kilobytes * 1024.0)
}

pub(in crate::collect) fn own_process(
    machine: &dyn Machine,
    page_bytes: f64,
    out: &mut Samples,
) -> Result<(), Error> {
    let process = parse_stat(&Text::read(machine, "proc/self/stat")?)?;
    let help = "Total user and system CPU time spent in seconds.";
    let ticks = process.counts.user + process.counts.system;
    out.counter("process_cpu_seconds_total", help).value(ticks / TICKS_PER_SECOND);
    let help = "Resident memory size in bytes.";
    out.gauge("process_resident_memory_bytes", help).value(process.resident_pages * page_bytes);
    let help = "Virtual memory size in bytes.";
    out.gauge("process_virtual_memory_bytes", help).value(process.virtual_bytes);
    let help = "Number of OS threads in the process.";
    out.gauge("process_threads", help).value(process.threads);
    let help = "Start time of the process since unix epoch in seconds.";
    let started = boot_seconds(machine)? + process.start_ticks / TICKS_PER_SECOND;
    out.gauge("process_start_time_seconds", help).value(started);
    if let Ok(open) = machine.list("proc/self/fd") {
        let count = u32::try_from(open.len()).unwrap_or(u32::MAX);
        out.gauge("process_open_fds", "Number of open file descriptors.").value(f64::from(count));
    }
    limits(&Text::read(machine, "proc/self/limits")?, out)
}

fn limits(text: &Text, out: &mut Samples) -> Result<(), Error> {
    let names = [
        ("Max open files", "process_max_fds", "Maximum number of open file descriptors."),
        (
            "Max address space",
            "process_virtual_memory_max_bytes",
            "Maximum amount of virtual memory available in bytes.",
        ),
    ];
    for line in text.lines() {
        for (begin, name, help) in names {
            let soft =
                line.text.strip_prefix(begin).and_then(|rest| rest.split_whitespace().next());
            if let Some(soft) = soft.filter(|soft| *soft != "unlimited") {
                out.gauge(name, help).value(line.parse(soft)?);
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

    #[test]
    fn this_process_as_client_libraries_show_it() {
        let machine = FakeMachine::default()
            .with("proc/self/stat", "7 (qui pu) S 1 7 7 0 -1 0 104 0 3 0 250 50 0 0 20 0 5 0 1000 2998272 413 0\n")
            .with("proc/stat", "btime 1795563183\n")
            .with("proc/self/fd/0", "")
            .with("proc/self/fd/1", "")
            .with("proc/self/smaps", "00400000-0040b000 r-xp\nKernelPageSize:       16 kB\n")
            .with("proc/self/limits", "Limit  Soft Limit  Hard Limit  Units\nMax open files            20000                20000                files\nMax address space         unlimited            unlimited            bytes\n");
        let mut out = Samples::default();
        own_process(&machine, page_bytes(&machine), &mut out).unwrap();
        let expected = [
            "process_cpu_seconds_total 3",
            "process_resident_memory_bytes 6766592",
            "process_virtual_memory_bytes 2998272",
            "process_threads 5",
            "process_start_time_seconds 1795563193",
            "process_open_fds 2",
            "process_max_fds 20000",
        ];
        check(&out, 7, &expected);
    }
}
