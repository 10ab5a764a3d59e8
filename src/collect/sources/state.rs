//! The list of sources, by the names `node_exporter` has for them, and what they remember.

use crate::collect::samples::Samples;
use crate::collect::{Error, Machine};

use super::cpu::Cpus;
use super::process::Groups;
use super::{cgroup, disk, filesystem, memory, netstat, network, sensor, system};

/// What sources remember from one collection to the next.
#[derive(Debug)]
pub(in crate::collect) struct State {
    /// Of a memory page, which the kernel counts some things in.
    pub(in crate::collect) page_bytes: f64,
    pub(in crate::collect) cpus: Cpus,
    pub(in crate::collect) groups: Groups,
}

/// Adds its rows. On an error, those before it stay.
pub(in crate::collect) type Source =
    fn(&mut State, &dyn Machine, &mut Samples) -> Result<(), Error>;

/// All sources, in the order they are asked.
pub(in crate::collect) const SOURCES: &[(&str, Source)] = &[
    ("cpu", |state, machine, out| state.cpus.read(machine, out)),
    ("meminfo", |_, machine, out| memory::meminfo(machine, out)),
    ("vmstat", |_, machine, out| memory::vmstat(machine, out)),
    ("diskstats", |_, machine, out| disk::read(machine, out)),
    ("filesystem", |_, machine, out| filesystem::read(machine, out)),
    ("netdev", |_, machine, out| network::traffic(machine, out)),
    ("netclass", |_, machine, out| network::classes(machine, out)),
    ("netstat", |_, machine, out| netstat::netstat(machine, out)),
    ("sockstat", |state, machine, out| netstat::sockstat(machine, state.page_bytes, out)),
    ("softnet", |_, machine, out| netstat::softnet(machine, out)),
    ("loadavg", |_, machine, out| system::load(machine, out)),
    ("pressure", |_, machine, out| system::pressure(machine, out)),
    ("uname", |_, machine, out| system::uname(machine, out)),
    ("os", |_, machine, out| system::distribution(machine, out)),
    ("conntrack", |_, machine, out| system::conntrack(machine, out)),
    ("filefd", |_, machine, out| system::descriptors(machine, out)),
    ("entropy", |_, machine, out| system::entropy(machine, out)),
    ("thermal_zone", |_, machine, out| sensor::thermal(machine, out)),
    ("hwmon", |_, machine, out| sensor::hwmon(machine, out)),
    ("cpufreq", |_, machine, out| sensor::frequency(machine, out)),
    ("cgroup", |_, machine, out| cgroup::read(machine, out)),
    ("process_groups", |state, machine, out| state.groups.read(machine, state.page_bytes, out)),
];
