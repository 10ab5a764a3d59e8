//! The machine as a whole: load, pressure, name, descriptors, entropy, tracked connections.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};
use crate::model::Label;

const MICROS: f64 = 0.000_001;

pub(super) fn load(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let text = Text::read(machine, "proc/loadavg")?;
    let line = text.first()?;
    for (index, minutes) in ["1", "5", "15"].iter().enumerate() {
        let help = format!("{minutes}m load average.");
        out.gauge(&format!("node_load{minutes}"), &help).value(line.number(index)?);
    }
    Ok(())
}

/// What is short, where: the file's name, which of its lines, metric, help.
const PRESSURES: [(&str, &str, &str, &str); 6] = [
    ("cpu", "some", "cpu_waiting", "Total time in seconds that processes have waited for CPU time"),
    (
        "io",
        "some",
        "io_waiting",
        "Total time in seconds that processes have waited due to IO congestion",
    ),
    (
        "io",
        "full",
        "io_stalled",
        "Total time in seconds no process could make progress due to IO congestion",
    ),
    (
        "memory",
        "some",
        "memory_waiting",
        "Total time in seconds that processes have waited for memory",
    ),
    (
        "memory",
        "full",
        "memory_stalled",
        "Total time in seconds no process could make progress due to memory congestion",
    ),
    (
        "irq",
        "full",
        "irq_stalled",
        "Total time in seconds no process could make progress due to IRQ congestion",
    ),
];

pub(super) fn pressure(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    for (file, kind, name, help) in PRESSURES {
        let text = match Text::read(machine, &format!("proc/pressure/{file}")) {
            // Kernels before 6.1 have no pressure of interrupts.
            Err(_) if file == "irq" => continue,
            other => other?,
        };
        if let Some(seconds) = pressure_seconds(&text, kind)? {
            out.counter(&format!("node_pressure_{name}_seconds_total"), help).value(seconds);
        }
    }
    Ok(())
}

/// The total of the line `kind` of a pressure file.
pub(super) fn pressure_seconds(text: &Text, kind: &str) -> Result<Option<f64>, Error> {
    let line = text.lines().find(|line| line.fields().next() == Some(kind));
    let Some(line) = line else { return Ok(None) };
    let total = line.fields().find_map(|field| field.strip_prefix("total="));
    let total = total.ok_or_else(|| line.malformed("total="))?;
    Ok(Some(line.parse(total)? * MICROS))
}

pub(super) fn uname(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let word = |file: &str| -> Result<String, Error> {
        Ok(Text::read(machine, &format!("proc/sys/kernel/{file}"))?.trimmed().to_owned())
    };
    let (system, release, version) = (word("ostype")?, word("osrelease")?, word("version")?);
    let (node, domain) = (word("hostname")?, word("domainname")?);
    // Kernels before 6.1 do not say; then it is what this program was built for.
    let arch = word("arch").unwrap_or_else(|_| std::env::consts::ARCH.to_owned());
    let labels = [
        ("domainname", domain.as_str()),
        ("machine", &arch),
        ("nodename", &node),
        ("release", &release),
        ("sysname", &system),
        ("version", &version),
    ];
    let help = "Labeled system information as provided by the uname system call.";
    out.gauge("node_uname_info", help).row(&labels, 1.0);
    Ok(())
}

pub(super) fn descriptors(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let text = Text::read(machine, "proc/sys/fs/file-nr")?;
    let line = text.first()?;
    for (index, name) in [(0, "allocated"), (2, "maximum")] {
        let help = format!("File descriptor statistics: {name}.");
        out.gauge(&format!("node_filefd_{name}"), &help).value(line.number(index)?);
    }
    Ok(())
}

pub(super) fn entropy(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let names = [
        ("entropy_avail", "available_bits", "Bits of available entropy."),
        ("poolsize", "pool_size_bits", "Bits of entropy pool."),
    ];
    for (file, name, help) in names {
        let text = Text::read(machine, &format!("proc/sys/kernel/random/{file}"))?;
        out.gauge(&format!("node_entropy_{name}"), help).value(text.first()?.number(0)?);
    }
    Ok(())
}

/// What is shown of `os-release`; the rest are addresses.
const RELEASE_FIELDS: [&str; 8] = [
    "BUILD_ID",
    "ID",
    "ID_LIKE",
    "NAME",
    "PRETTY_NAME",
    "VERSION",
    "VERSION_CODENAME",
    "VERSION_ID",
];

/// The distribution: `/etc/os-release`, whose lines are `NAME="value"`.
pub(in crate::collect) fn distribution(
    machine: &dyn Machine,
    out: &mut Samples,
) -> Result<(), Error> {
    let text = Text::read(machine, "etc/os-release")
        .or_else(|_| Text::read(machine, "usr/lib/os-release"))?;
    let mut labels = Vec::new();
    for line in text.lines().filter(|line| !line.text.starts_with('#')) {
        let (name, value) = line.split('=')?;
        if RELEASE_FIELDS.contains(&name) {
            let value = value.text.trim().trim_matches(['"', '\'']);
            labels.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    let labels: Vec<Label<'_>> =
        labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let help = "A metric with a constant '1' value labeled by what os-release says.";
    out.gauge("node_os_info", help).row(&labels, 1.0);
    Ok(())
}

pub(in crate::collect) fn conntrack(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    let names = [
        ("count", "entries", "Number of currently allocated flow entries for connection tracking."),
        ("max", "entries_limit", "Maximum size of connection tracking table."),
    ];
    for (file, name, help) in names {
        let text = Text::read(machine, &format!("proc/sys/net/netfilter/nf_conntrack_{file}"))?;
        out.gauge(&format!("node_nf_conntrack_{name}"), help).value(text.first()?.number(0)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::machine::fake::FakeMachine;
    use crate::collect::samples::shown::check;

    #[test]
    fn load_descriptors_and_entropy() {
        let machine = FakeMachine::default()
            .with("proc/loadavg", "0.27 0.67 0.43 1/93 19338\n")
            .with("proc/sys/fs/file-nr", "556\t0\t2466170\n")
            .with("proc/sys/kernel/random/entropy_avail", "256\n")
            .with("proc/sys/kernel/random/poolsize", "256\n");
        let mut out = Samples::default();
        load(&machine, &mut out).unwrap();
        descriptors(&machine, &mut out).unwrap();
        entropy(&machine, &mut out).unwrap();
        check(&out, 7, &["node_load5 0.67", "node_filefd_maximum 2466170"]);
    }

    #[test]
    fn pressure_is_in_seconds_and_old_kernels_have_less() {
        let both = "some avg10=0.31 avg60=1.53 avg300=5.00 total=48114048\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n";
        let machine = FakeMachine::default()
            .with("proc/pressure/cpu", "some avg10=0 avg60=0 avg300=0 total=2000000\n")
            .with("proc/pressure/io", both)
            .with("proc/pressure/memory", both);
        let mut out = Samples::default();
        pressure(&machine, &mut out).unwrap();
        let expected = [
            "node_pressure_cpu_waiting_seconds_total 2",
            "node_pressure_io_waiting_seconds_total 48.114048",
            "node_pressure_memory_stalled_seconds_total 0.5",
        ];
        check(&out, 5, &expected);
    }

    #[test]
    fn the_distribution_and_tracked_connections() {
        let release =
            "# made by hand\nID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\nHOME_URL=\"x\"\n";
        let machine = FakeMachine::default()
            .with("usr/lib/os-release", release)
            .with("proc/sys/net/netfilter/nf_conntrack_count", "7\n")
            .with("proc/sys/net/netfilter/nf_conntrack_max", "262144\n");
        let mut out = Samples::default();
        distribution(&machine, &mut out).unwrap();
        conntrack(&machine, &mut out).unwrap();
        let expected = [
            r#"node_os_info{id="debian",pretty_name="Debian GNU/Linux 12"} 1"#,
            "node_nf_conntrack_entries 7",
            "node_nf_conntrack_entries_limit 262144",
        ];
        check(&out, 3, &expected);
    }

    #[test]
    fn the_machines_name_is_a_row() {
        let machine = FakeMachine::default()
            .with("proc/sys/kernel/ostype", "Linux\n")
            .with("proc/sys/kernel/osrelease", "6.18.44\n")
            .with("proc/sys/kernel/version", "#1 SMP\n")
            .with("proc/sys/kernel/hostname", "web-1\n")
            .with("proc/sys/kernel/domainname", "(none)\n")
            .with("proc/sys/kernel/arch", "x86_64\n");
        let mut out = Samples::default();
        uname(&machine, &mut out).unwrap();
        let expected = r##"node_uname_info{domainname="(none)",machine="x86_64",nodename="web-1",release="6.18.44",sysname="Linux",version="#1 SMP"} 1"##;
        check(&out, 1, &[expected]);
    }
}
