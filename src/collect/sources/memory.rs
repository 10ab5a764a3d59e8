//! Memory and paging: `/proc/meminfo`, `/proc/vmstat`.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};

pub(super) fn meminfo(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    parse_meminfo(&Text::read(machine, "proc/meminfo")?, out)
}

pub(super) fn vmstat(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    parse_vmstat(&Text::read(machine, "proc/vmstat")?, out)
}

fn parse_meminfo(text: &Text, out: &mut Samples) -> Result<(), Error> {
    for line in text.lines() {
        let (name, rest) = line.split(':')?;
        // Active(anon) becomes Active_anon.
        let name = name.replace('(', "_").replace(')', "");
        let mut value = rest.number(0)?;
        let mut field = name;
        if rest.fields().nth(1) == Some("kB") {
            value *= 1024.0;
            field.push_str("_bytes");
        }
        let help = format!("Memory information field {field}.");
        out.gauge(&format!("node_memory_{field}"), &help).value(value);
    }
    Ok(())
}

fn parse_vmstat(text: &Text, out: &mut Samples) -> Result<(), Error> {
    let is_kept = |name: &str| {
        let is_fault = name.strip_prefix("pg").is_some_and(|rest| rest.contains("fault"));
        is_fault || ["oom_kill", "pgpg", "pswp"].iter().any(|begin| name.starts_with(begin))
    };
    for line in text.lines().filter(|line| is_kept(line.text)) {
        let name = line.field(0)?;
        let help = format!("/proc/vmstat information field {name}.");
        out.unknown(&format!("node_vmstat_{name}"), &help).value(line.number(1)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::samples::shown::check;

    #[test]
    fn kilobytes_become_bytes_and_counts_stay() {
        let text =
            "MemTotal:       24684084 kB\nActive(anon):       1560 kB\nHugePages_Total:       0\n";
        let mut out = Samples::default();
        parse_meminfo(&Text::new("proc/meminfo", text), &mut out).unwrap();
        let expected = [
            "node_memory_MemTotal_bytes 25276502016",
            "node_memory_Active_anon_bytes 1597440",
            "node_memory_HugePages_Total 0",
        ];
        check(&out, 3, &expected);
    }

    #[test]
    fn faults_swaps_and_kills_are_kept_of_the_many() {
        let text =
            "nr_free_pages 1\npgpgin 2\npswpout 3\npgfault 4\npgmajfault 5\noom_kill 6\npgfree 7\n";
        let mut out = Samples::default();
        parse_vmstat(&Text::new("proc/vmstat", text), &mut out).unwrap();
        check(&out, 5, &["node_vmstat_pgmajfault 5", "node_vmstat_oom_kill 6"]);
    }
}
