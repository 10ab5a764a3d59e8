//! Network interfaces: `/proc/net/dev`, and what `/sys/class/net` says about each.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};
use crate::model::MetricKind;

/// The columns of `/proc/net/dev`, received then sent.
const COLUMNS: [&str; 16] = [
    "receive_bytes",
    "receive_packets",
    "receive_errs",
    "receive_drop",
    "receive_fifo",
    "receive_frame",
    "receive_compressed",
    "receive_multicast",
    "transmit_bytes",
    "transmit_packets",
    "transmit_errs",
    "transmit_drop",
    "transmit_fifo",
    "transmit_colls",
    "transmit_carrier",
    "transmit_compressed",
];

/// Files of `/sys/class/net/DEVICE` that hold one number: metric, file, kind, unit.
const FILES: [(&str, &str, MetricKind, f64); 6] = [
    ("carrier", "carrier", MetricKind::Gauge, 1.0),
    ("carrier_changes_total", "carrier_changes", MetricKind::Counter, 1.0),
    ("carrier_down_changes_total", "carrier_down_count", MetricKind::Counter, 1.0),
    ("carrier_up_changes_total", "carrier_up_count", MetricKind::Counter, 1.0),
    ("mtu_bytes", "mtu", MetricKind::Gauge, 1.0),
    ("transmit_queue_length", "tx_queue_len", MetricKind::Gauge, 1.0),
];

/// Megabits a second, as `/sys` has them, in bytes a second.
const MEGABIT_BYTES: f64 = 1_000_000.0 / 8.0;

pub(super) fn traffic(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    parse(&Text::read(machine, "proc/net/dev")?, out)
}

fn parse(text: &Text, out: &mut Samples) -> Result<(), Error> {
    let mut devices = Vec::new();
    for line in text.lines().skip(2) {
        let (device, counts) = line.split(':')?;
        let counts = counts.numbers(0)?;
        if counts.len() < COLUMNS.len() {
            return Err(line.malformed("sixteen counts"));
        }
        devices.push((device, counts));
    }
    for (index, column) in COLUMNS.iter().enumerate() {
        let help = format!("Network device statistic {column}.");
        out.counter(&format!("node_network_{column}_total"), &help);
        for (device, counts) in &devices {
            if let Some(count) = counts.get(index) {
                out.row(&[("device", device)], *count);
            }
        }
    }
    Ok(())
}

/// What the interfaces are. A file that cannot be read (the speed of one that is down) has no row.
pub(super) fn classes(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    const FOLDER: &str = "sys/class/net";
    let devices =
        machine.list(FOLDER).map_err(|source| Error::Read { path: FOLDER.to_owned(), source })?;
    let word = |device: &str, file: &str| {
        let text = machine.read(&format!("{FOLDER}/{device}/{file}")).unwrap_or_default();
        text.trim().to_owned()
    };
    let number = |device: &str, file: &str| {
        word(device, file).parse().ok().filter(|number: &f64| number.is_finite())
    };
    for (name, file, kind, unit) in FILES {
        out.family(&format!("node_network_{name}"), kind, &sentence(file));
        for device in &devices {
            if let Some(value) = number(device, file) {
                out.row(&[("device", device)], value * unit);
            }
        }
    }
    out.gauge("node_network_speed_bytes", &sentence("speed"));
    for device in &devices {
        // -1 is "not known".
        if let Some(speed) = number(device, "speed").filter(|speed| *speed >= 0.0) {
            out.row(&[("device", device)], speed * MEGABIT_BYTES);
        }
    }
    out.gauge("node_network_up", "Value is 1 if operstate is 'up', 0 otherwise.");
    for device in &devices {
        let is_up = word(device, "operstate") == "up";
        out.row(&[("device", device)], f64::from(u8::from(is_up)));
    }
    let help = "Non-numeric data from /sys/class/net/<iface>, value is always 1.";
    out.gauge("node_network_info", help);
    for device in &devices {
        let files = ["address", "broadcast", "duplex", "ifalias", "operstate"];
        let words = files.map(|file| word(device, file));
        let mut labels = vec![("device", device.as_str())];
        labels.extend(files.iter().zip(&words).map(|(file, word)| (*file, word.as_str())));
        out.row(&labels, 1.0);
    }
    Ok(())
}

fn sentence(file: &str) -> String {
    format!("Network device property: {file}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::machine::fake::FakeMachine;
    use crate::collect::samples::shown::check;

    #[test]
    fn devices_without_a_blank_after_the_colon_are_read() {
        let text = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0:148572358    6330    1    2    3     4          5         6   507864    4375    7    8    9    10      11         12
";
        let mut out = Samples::default();
        parse(&Text::new("proc/net/dev", text), &mut out).unwrap();
        let expected = [
            r#"node_network_receive_bytes_total{device="eth0"} 148572358"#,
            r#"node_network_receive_multicast_total{device="eth0"} 6"#,
            r#"node_network_transmit_colls_total{device="eth0"} 10"#,
            r#"node_network_transmit_packets_total{device="lo"} 29"#,
        ];
        check(&out, 32, &expected);
    }

    #[test]
    fn what_an_interface_does_not_say_has_no_row() {
        let machine = FakeMachine::default()
            .with("sys/class/net/eth0/operstate", "up\n")
            .with("sys/class/net/eth0/speed", "1000\n")
            .with("sys/class/net/eth0/mtu", "1500\n")
            .with("sys/class/net/eth0/address", "52:54:00:12:34:56\n")
            .with("sys/class/net/lo/operstate", "unknown\n")
            .with("sys/class/net/lo/speed", "-1\n");
        let mut out = Samples::default();
        classes(&machine, &mut out).unwrap();
        let expected = [
            r#"node_network_mtu_bytes{device="eth0"} 1500"#,
            r#"node_network_speed_bytes{device="eth0"} 125000000"#,
            r#"node_network_up{device="lo"} 0"#,
            r#"node_network_info{address="52:54:00:12:34:56",device="eth0",operstate="up"} 1"#,
            r#"node_network_info{device="lo",operstate="unknown"} 1"#,
        ];
        check(&out, 6, &expected);
    }
}
