//! Heat, fans, volts and clock rates: `/sys/class/thermal`, `/sys/class/hwmon`, cpufreq.
//!
//! `node_exporter` names a chip by the device it hangs on, which takes following links; here it is the
//! driver's name and the kernel's number, `coretemp_hwmon1`.

use crate::collect::samples::Samples;
use crate::collect::{Error, Machine};

const MILLI: f64 = 0.001;

fn word(machine: &dyn Machine, path: &str) -> Option<String> {
    let text = machine.read(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn number(machine: &dyn Machine, path: &str) -> Option<f64> {
    word(machine, path)?.parse().ok().filter(|number: &f64| number.is_finite())
}

fn names(machine: &dyn Machine, path: &str) -> Result<Vec<String>, Error> {
    machine.list(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// A zone that does not answer (a modem that sleeps) has no row.
pub(super) fn thermal(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    const FOLDER: &str = "sys/class/thermal";
    out.gauge("node_thermal_zone_temp", "Zone temperature in Celsius");
    for name in names(machine, FOLDER)? {
        let Some(zone) = name.strip_prefix("thermal_zone") else { continue };
        let kind = word(machine, &format!("{FOLDER}/{name}/type")).unwrap_or_default();
        if let Some(heat) = number(machine, &format!("{FOLDER}/{name}/temp")) {
            out.row(&[("type", kind.as_str()), ("zone", zone)], heat * MILLI);
        }
    }
    Ok(())
}

/// A kind of sensor: how its files begin, and of each file's end the metric and what a unit is worth.
type Kind = (&'static str, &'static [(&'static str, &'static str, f64)]);

const KINDS: &[Kind] = &[
    (
        "temp",
        &[
            ("input", "temp_celsius", MILLI),
            ("max", "temp_max_celsius", MILLI),
            ("crit", "temp_crit_celsius", MILLI),
        ],
    ),
    ("fan", &[("input", "fan_rpm", 1.0), ("min", "fan_min_rpm", 1.0)]),
    ("in", &[("input", "in_volts", MILLI)]),
    ("curr", &[("input", "curr_amps", MILLI)]),
    ("power", &[("input", "power_watt", 0.000_001), ("average", "power_average_watt", 0.000_001)]),
    ("energy", &[("input", "energy_joule_total", 0.000_001)]),
];

pub(super) fn hwmon(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    const FOLDER: &str = "sys/class/hwmon";
    for name in names(machine, FOLDER)? {
        let folder = format!("{FOLDER}/{name}");
        let driver = word(machine, &format!("{folder}/name")).unwrap_or_default();
        let chip = format!("{driver}_{name}");
        let labels = [("chip", chip.as_str()), ("chip_name", &driver)];
        let help = "Annotation metric for human-readable chip names";
        out.gauge("node_hwmon_chip_names", help).row(&labels, 1.0);
        for file in names(machine, &folder)? {
            emit_sensor(machine, &folder, &chip, &file, out);
        }
    }
    Ok(())
}

fn emit_sensor(machine: &dyn Machine, folder: &str, chip: &str, file: &str, out: &mut Samples) {
    let Some((sensor, end)) = file.split_once('_') else { return };
    let kind = sensor.trim_end_matches(|c: char| c.is_ascii_digit());
    let path = format!("{folder}/{file}");
    if end == "label" {
        let label = word(machine, &path).unwrap_or_default();
        let labels = [("chip", chip), ("label", label.as_str()), ("sensor", sensor)];
        out.gauge("node_hwmon_sensor_label", "Label for given chip and sensor").row(&labels, 1.0);
        return;
    }
    let ends = KINDS.iter().find(|(it, _)| *it == kind).map_or(&[][..], |(_, ends)| ends);
    let Some((_, metric, unit)) = ends.iter().find(|(it, _, _)| *it == end) else { return };
    if let Some(value) = number(machine, &path) {
        let name = format!("node_hwmon_{metric}");
        let help = format!("Hardware monitor for {kind} ({end})");
        let family = if metric.ends_with("_total") {
            out.counter(&name, &help)
        } else {
            out.gauge(&name, &help)
        };
        family.row(&[("chip", chip), ("sensor", sensor)], value * unit);
    }
}

/// The files are in kilohertz.
pub(super) fn frequency(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    const FOLDER: &str = "sys/devices/system/cpu";
    let files = [
        (
            "scaling_cur_freq",
            "node_cpu_scaling_frequency_hertz",
            "Current scaled CPU thread frequency in hertz.",
        ),
        (
            "scaling_max_freq",
            "node_cpu_scaling_frequency_max_hertz",
            "Maximum scaled CPU thread frequency in hertz.",
        ),
        (
            "scaling_min_freq",
            "node_cpu_scaling_frequency_min_hertz",
            "Minimum scaled CPU thread frequency in hertz.",
        ),
    ];
    let cpus = names(machine, FOLDER)?;
    for (file, metric, help) in files {
        out.gauge(metric, help);
        for name in &cpus {
            let Some(cpu) = name.strip_prefix("cpu") else { continue };
            if let Some(rate) = number(machine, &format!("{FOLDER}/{name}/cpufreq/{file}")) {
                out.row(&[("cpu", cpu)], rate * 1000.0);
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
    fn zones_are_named_by_number_and_type() {
        let machine = FakeMachine::default()
            .with("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n")
            .with("sys/class/thermal/thermal_zone0/temp", "48500\n")
            .with("sys/class/thermal/thermal_zone1/type", "modem\n")
            .with("sys/class/thermal/cooling_device0/cur_state", "0\n");
        let mut out = Samples::default();
        thermal(&machine, &mut out).unwrap();
        check(&out, 1, &[r#"node_thermal_zone_temp{type="x86_pkg_temp",zone="0"} 48.5"#]);
        assert!(thermal(&FakeMachine::default(), &mut out).is_err());
    }

    #[test]
    fn sensors_have_their_units() {
        let machine = FakeMachine::default()
            .with("sys/class/hwmon/hwmon1/name", "coretemp\n")
            .with("sys/class/hwmon/hwmon1/temp1_input", "51000\n")
            .with("sys/class/hwmon/hwmon1/temp1_label", "Package id 0\n")
            .with("sys/class/hwmon/hwmon1/fan2_input", "1200\n")
            .with("sys/class/hwmon/hwmon1/in0_input", "12096\n")
            .with("sys/class/hwmon/hwmon1/uevent", "\n");
        let mut out = Samples::default();
        hwmon(&machine, &mut out).unwrap();
        let expected = [
            r#"node_hwmon_chip_names{chip="coretemp_hwmon1",chip_name="coretemp"} 1"#,
            r#"node_hwmon_temp_celsius{chip="coretemp_hwmon1",sensor="temp1"} 51"#,
            r#"node_hwmon_sensor_label{chip="coretemp_hwmon1",label="Package id 0",sensor="temp1"} 1"#,
            r#"node_hwmon_fan_rpm{chip="coretemp_hwmon1",sensor="fan2"} 1200"#,
            r#"node_hwmon_in_volts{chip="coretemp_hwmon1",sensor="in0"} 12.096"#,
        ];
        check(&out, 5, &expected);
    }

    #[test]
    fn clock_rates_are_in_hertz() {
        let machine = FakeMachine::default()
            .with("sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq", "2400000\n")
            .with("sys/devices/system/cpu/online", "0-3\n");
        let mut out = Samples::default();
        frequency(&machine, &mut out).unwrap();
        check(&out, 1, &[r#"node_cpu_scaling_frequency_hertz{cpu="3"} 2400000000"#]);
    }
}
