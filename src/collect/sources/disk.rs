//! Block devices: `/proc/diskstats`. Fields: the kernel's Documentation/admin-guide/iostats.rst.

use crate::collect::samples::Samples;
use crate::collect::text::{Line, Text};
use crate::collect::{Error, Machine};
use crate::model::MetricKind;

const SECTOR_BYTES: f64 = 512.0;
const MILLIS: f64 = 0.001;

/// A column of the file: its metric, what it counts, its kind, and what a unit of it is worth.
type Column = (&'static str, &'static str, MetricKind, f64);

const COUNTER: MetricKind = MetricKind::Counter;
const GAUGE: MetricKind = MetricKind::Gauge;

/// The columns after major, minor and name. Older kernels have fewer.
const COLUMNS: [Column; 17] = [
    ("reads_completed_total", "The total number of reads completed successfully.", COUNTER, 1.0),
    ("reads_merged_total", "The total number of reads merged.", COUNTER, 1.0),
    ("read_bytes_total", "The total number of bytes read successfully.", COUNTER, SECTOR_BYTES),
    ("read_time_seconds_total", "The total number of seconds spent by all reads.", COUNTER, MILLIS),
    ("writes_completed_total", "The total number of writes completed successfully.", COUNTER, 1.0),
    ("writes_merged_total", "The number of writes merged.", COUNTER, 1.0),
    (
        "written_bytes_total",
        "The total number of bytes written successfully.",
        COUNTER,
        SECTOR_BYTES,
    ),
    (
        "write_time_seconds_total",
        "This is the total number of seconds spent by all writes.",
        COUNTER,
        MILLIS,
    ),
    ("io_now", "The number of I/Os currently in progress.", GAUGE, 1.0),
    ("io_time_seconds_total", "Total seconds spent doing I/Os.", COUNTER, MILLIS),
    (
        "io_time_weighted_seconds_total",
        "The weighted # of seconds spent doing I/Os.",
        COUNTER,
        MILLIS,
    ),
    (
        "discards_completed_total",
        "The total number of discards completed successfully.",
        COUNTER,
        1.0,
    ),
    ("discards_merged_total", "The total number of discards merged.", COUNTER, 1.0),
    (
        "discarded_sectors_total",
        "The total number of sectors discarded successfully.",
        COUNTER,
        1.0,
    ),
    (
        "discard_time_seconds_total",
        "This is the total number of seconds spent by all discards.",
        COUNTER,
        MILLIS,
    ),
    (
        "flush_requests_total",
        "The total number of flush requests completed successfully",
        COUNTER,
        1.0,
    ),
    (
        "flush_requests_time_seconds_total",
        "This is the total number of seconds spent by all flush requests.",
        COUNTER,
        MILLIS,
    ),
];

pub(super) fn read(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    parse(&Text::read(machine, "proc/diskstats")?, out)
}

fn parse(text: &Text, out: &mut Samples) -> Result<(), Error> {
    let mut disks = Vec::new();
    for line in text.lines() {
        let name = line.field(2)?;
        if is_whole_disk(name) {
            disks.push((name, values(line)?));
        }
    }
    for (index, (name, help, kind, unit)) in COLUMNS.iter().enumerate() {
        out.family(&format!("node_disk_{name}"), *kind, help);
        for (disk, values) in &disks {
            if let Some(value) = values.get(index) {
                out.row(&[("device", disk)], value * unit);
            }
        }
    }
    Ok(())
}

fn values(line: Line<'_>) -> Result<Vec<f64>, Error> {
    let values = line.numbers(3)?;
    if values.len() < 11 { Err(line.malformed("eleven figures or more")) } else { Ok(values) }
}

/// Not a loop, memory or floppy device, and not a partition: what `node_exporter` looks at.
fn is_whole_disk(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = stem.len() < name.len();
    if !is_numbered {
        return true;
    }
    let is_lettered = |kind: &str| {
        let letter = stem.strip_prefix(kind).unwrap_or_default();
        letter.len() == 1 && letter.chars().all(|c| c.is_ascii_lowercase())
    };
    let is_partition = ["hd", "sd", "vd", "xvd"].iter().any(|kind| is_lettered(kind));
    let is_nvme_partition = stem.starts_with("nvme") && stem.ends_with('p');
    !(is_partition || is_nvme_partition || ["ram", "zram", "loop", "fd"].contains(&stem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::samples::shown::check;

    #[test]
    fn columns_have_their_units_and_old_kernels_fewer() {
        let text = "\
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 89051 25643 6970914 88741 13487 41275 5696592 19481 2 39564 110158 6190 33 474656 1883 1203 51
 254       1 vda1 1 2 3 4 5 6 7 8 9 10 11
   8       0 sda 1 2 3 4 5 6 7 8 9 10 11
";
        let mut out = Samples::default();
        parse(&Text::new("proc/diskstats", text), &mut out).unwrap();
        let expected = [
            r#"node_disk_reads_completed_total{device="vda"} 89051"#,
            r#"node_disk_read_bytes_total{device="vda"} 3569107968"#,
            r#"node_disk_io_time_seconds_total{device="vda"} 39.564"#,
            r#"node_disk_io_now{device="vda"} 2"#,
            r#"node_disk_flush_requests_total{device="vda"} 1203"#,
            r#"node_disk_written_bytes_total{device="sda"} 3584"#,
        ];
        check(&out, 17 + 11, &expected);
    }

    #[test]
    fn partitions_and_memory_are_no_disks() {
        for disk in ["sda", "vda", "nvme0n1", "dm-0", "md127", "mmcblk0", "sr0"] {
            assert!(is_whole_disk(disk), "{disk}");
        }
        for other in ["sda1", "xvdb12", "nvme0n1p2", "loop7", "ram0", "zram0", "fd0"] {
            assert!(!is_whole_disk(other), "{other}");
        }
    }
}
