//! Processes, by name: the groups that use most, under the names `process-exporter` has.
//!
//! A group's counters go on when one of its processes ends: they are sums of what was seen of each.
//! Kernel threads of one kind (`kworker/0:1`, `kworker/1:0`) are one group.

use std::collections::{HashMap, HashSet};
use std::ops::{Add, AddAssign, Sub};

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};

use super::cpu::TICKS_PER_SECOND;
use super::top::{Tops, Used};

/// Processes looked at in one collection.
const PROCESSES_MAX: usize = 20_000;
/// The parent of kernel threads.
const KTHREADD: &str = "2";

/// What only rises in the life of a process. CPU in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) user: f64,
    pub(super) system: f64,
    minor_faults: f64,
    major_faults: f64,
    pub(super) read_bytes: f64,
    pub(super) written_bytes: f64,
}

impl Counts {
    fn zip(self, other: Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            user: with(self.user, other.user),
            system: with(self.system, other.system),
            minor_faults: with(self.minor_faults, other.minor_faults),
            major_faults: with(self.major_faults, other.major_faults),
            read_bytes: with(self.read_bytes, other.read_bytes),
            written_bytes: with(self.written_bytes, other.written_bytes),
        }
    }
}

impl Add for Counts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.zip(other, f64::add)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Never below zero: files of one process are read one after the other.
impl Sub for Counts {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.zip(other, |now, before| (now - before).max(0.0))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Process {
    pub(super) id: String,
    pub(super) name: String,
    state: String,
    pub(super) counts: Counts,
    pub(super) threads: f64,
    pub(super) start_ticks: f64,
    pub(super) virtual_bytes: f64,
    pub(super) resident_pages: f64,
}

/// The processes of one name, now.
#[derive(Clone, Debug, Default)]
struct Group {
    processes: f64,
    threads: f64,
    resident_pages: f64,
    virtual_bytes: f64,
    oldest_ticks: f64,
    states: HashMap<String, f64>,
    /// Of this collection: what ranks it.
    risen: Counts,
    total: Counts,
}

/// Remembers what was counted of each process, and which groups were shown.
#[derive(Debug)]
pub(in crate::collect) struct Groups {
    shown_max: usize,
    last: HashMap<(String, u64), Counts>,
    totals: HashMap<String, Counts>,
    shown: HashSet<String>,
    tops: Tops,
}

impl Groups {
    /// Shows about `groups_max` groups, and about `processes_max` processes in each ranking.
    pub(in crate::collect) fn new(groups_max: usize, processes_max: usize) -> Self {
        let (last, totals, shown) = Default::default();
        let tops = Tops::new(processes_max);
        Self { shown_max: groups_max, last, totals, shown, tops }
    }

    pub(super) fn read(
        &mut self,
        machine: &dyn Machine,
        page_bytes: f64,
        out: &mut Samples,
    ) -> Result<(), Error> {
        if self.shown_max == 0 && self.tops.is_off() {
            return Ok(());
        }
        let boot = boot_seconds(machine)?;
        let (processes, is_cut) = processes(machine)?;
        let (groups, used) = self.gather(&processes);
        self.tops.emit(&used, page_bytes, out);
        self.shown = chosen(&groups, &self.shown, self.shown_max);
        let mut shown: Vec<(&str, &Group)> =
            groups.iter().map(|(name, group)| (name.as_str(), group)).collect();
        shown.retain(|(name, _)| self.shown.contains(*name));
        shown.sort_unstable_by_key(|(name, _)| *name);
        emit(&shown, page_bytes, boot, out);
        if is_cut {
            return Err(Error::TooMany { what: "processes", limit: PROCESSES_MAX });
        }
        Ok(())
    }

    /// The groups, and what each process used since the last time.
    fn gather<'a>(&mut self, processes: &'a [Process]) -> (HashMap<String, Group>, Vec<Used<'a>>) {
        let mut groups: HashMap<String, Group> = HashMap::new();
        let mut seen = HashMap::with_capacity(processes.len());
        let mut used = Vec::with_capacity(processes.len());
        for process in processes {
            // A number is given again after a while; with its start it is one process for ever.
            let key = (process.id.clone(), process.start_ticks.to_bits());
            let before = self.last.get(&key).copied().unwrap_or_default();
            let group = groups.entry(process.name.clone()).or_default();
            let risen = process.counts - before;
            group.add(process, risen);
            used.push((process, risen));
            seen.insert(key, process.counts);
        }
        self.last = seen;
        for (name, group) in &mut groups {
            group.total = self.totals.get(name).copied().unwrap_or_default() + group.risen;
        }
        self.totals = groups.iter().map(|(name, group)| (name.clone(), group.total)).collect();
        (groups, used)
    }
}

impl Group {
    fn add(&mut self, process: &Process, risen: Counts) {
        let is_oldest = self.processes == 0.0 || process.start_ticks < self.oldest_ticks;
        if is_oldest {
            self.oldest_ticks = process.start_ticks;
        }
        self.processes += 1.0;
        self.threads += process.threads;
        self.resident_pages += process.resident_pages;
        self.virtual_bytes += process.virtual_bytes;
        *self.states.entry(process.state.clone()).or_default() += 1.0;
        self.risen += risen;
    }
}

/// The groups that used most CPU or hold most memory. One that was shown before stays until it falls
/// behind twice as many, so that groups of one size do not come and go.
fn chosen(
    groups: &HashMap<String, Group>,
    before: &HashSet<String>,
    groups_max: usize,
) -> HashSet<String> {
    let ranked = |value: &dyn Fn(&Group) -> f64| {
        let mut names: Vec<&String> = groups.keys().collect();
        let of = |name: &String| groups.get(name).map_or(0.0, value);
        names.sort_by(|a, b| of(b).total_cmp(&of(a)).then_with(|| a.cmp(b)));
        names
    };
    let by_cpu = ranked(&|group| group.risen.user + group.risen.system);
    let by_memory = ranked(&|group| group.resident_pages);
    let mut order: Vec<&String> = Vec::with_capacity(groups.len());
    let mut placed = HashSet::new();
    for (cpu, memory) in by_cpu.into_iter().zip(by_memory) {
        order.extend([cpu, memory].into_iter().filter(|name| placed.insert(*name)));
    }
    let stays = |(place, name): &(usize, &String)| *place < groups_max || before.contains(*name);
    let near = order.into_iter().take(groups_max.saturating_mul(2));
    near.enumerate().filter(stays).map(|(_, name)| name.clone()).collect()
}

/// All processes, and whether there were too many. One that ends meanwhile is left out.
fn processes(machine: &dyn Machine) -> Result<(Vec<Process>, bool), Error> {
    let names =
        machine.list("proc").map_err(|source| Error::Read { path: "proc".to_owned(), source })?;
    let is_process = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let ids: Vec<String> = names.into_iter().filter(is_process).collect();
    let is_cut = ids.len() > PROCESSES_MAX;
    let mut found = Vec::with_capacity(ids.len().min(PROCESSES_MAX));
    for id in ids.into_iter().take(PROCESSES_MAX) {
        let Ok(text) = Text::read(machine, &format!("proc/{id}/stat")) else { continue };
        let mut process = parse_stat(&text)?;
        // Other people's processes do not show theirs.
        if let Ok(text) = Text::read(machine, &format!("proc/{id}/io")) {
            add_io(&text, &mut process.counts)?;
        }
        found.push(process);
    }
    Ok((found, is_cut))
}

/// Fields: proc(5). The name may hold blanks and brackets, so the last bracket ends it.
pub(super) fn parse_stat(text: &Text) -> Result<Process, Error> {
    let line = text.first()?;
    let halves = line.text.split_once(" (").and_then(|(id, rest)| {
        let (name, rest) = rest.rsplit_once(") ")?;
        Some((id, name, rest))
    });
    let (id, name, rest) = halves.ok_or_else(|| line.malformed("a number and a name"))?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field 3 of the manual page is the first here.
    let field = |number: usize| {
        fields.get(number - 3).copied().ok_or_else(|| line.malformed("24 fields or more"))
    };
    let number = |index: usize| line.parse(field(index)?);
    let is_kernel = field(4)? == KTHREADD || id == KTHREADD;
    let name = if is_kernel { name.split('/').next().unwrap_or(name) } else { name };
    Ok(Process {
        id: id.to_owned(),
        name: name.to_owned(),
        state: field(3)?.to_owned(),
        counts: Counts {
            user: number(14)?,
            system: number(15)?,
            minor_faults: number(10)?,
            major_faults: number(12)?,
            ..Counts::default()
        },
        threads: number(20)?,
        start_ticks: number(22)?,
        virtual_bytes: number(23)?,
        resident_pages: number(24)?,
    })
}

fn add_io(text: &Text, counts: &mut Counts) -> Result<(), Error> {
    for line in text.lines() {
        match line.field(0)? {
            "read_bytes:" => counts.read_bytes = line.number(1)?,
            "write_bytes:" => counts.written_bytes = line.number(1)?,
            _ => {}
        }
    }
    Ok(())
}

/// When the machine started, in seconds since 1970.
pub(super) fn boot_seconds(machine: &dyn Machine) -> Result<f64, Error> {
    let text = Text::read(machine, "proc/stat")?;
    let line = text.lines().find(|line| line.text.starts_with("btime "));
    line.map_or_else(|| Err(text.first()?.malformed("a line with btime")), |line| line.number(1))
}

fn emit(groups: &[(&str, &Group)], page_bytes: f64, boot: f64, out: &mut Samples) {
    emit_counters(groups, out);
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&Group) -> f64| {
        out.gauge(&format!("namedprocess_namegroup_{name}"), help);
        for (name, group) in groups {
            out.row(&[("groupname", name)], value(group));
        }
    };
    gauge("num_procs", "number of processes in this group", &|group| group.processes);
    gauge("num_threads", "Number of threads", &|group| group.threads);
    let help = "start time in seconds since 1970/01/01 of oldest process in group";
    let started = |group: &Group| boot + group.oldest_ticks / TICKS_PER_SECOND;
    gauge("oldest_start_time_seconds", help, &started);
    let help = "number of bytes of memory in use";
    out.gauge("namedprocess_namegroup_memory_bytes", help);
    for (name, group) in groups {
        let resident = group.resident_pages * page_bytes;
        out.row(&[("groupname", name), ("memtype", "resident")], resident);
        out.row(&[("groupname", name), ("memtype", "virtual")], group.virtual_bytes);
    }
    let help = "Number of processes in states Running, Sleeping, Waiting, Zombie, or Other";
    out.gauge("namedprocess_namegroup_states", help);
    let states = [("Running", "R"), ("Sleeping", "SI"), ("Waiting", "D"), ("Zombie", "Z")];
    for (name, group) in groups {
        let mut other = group.processes;
        for (state, letters) in states {
            let of = |letter: char| group.states.get(letter.encode_utf8(&mut [0; 4])).copied();
            let count: f64 = letters.chars().filter_map(of).sum();
            other -= count;
            out.row(&[("groupname", name), ("state", state)], count);
        }
        out.row(&[("groupname", name), ("state", "Other")], other);
    }
}

fn emit_counters(groups: &[(&str, &Group)], out: &mut Samples) {
    let help = "Cpu user usage in seconds";
    out.counter("namedprocess_namegroup_cpu_seconds_total", help);
    for (name, group) in groups {
        let (user, system) = (group.total.user, group.total.system);
        out.row(&[("groupname", name), ("mode", "system")], system / TICKS_PER_SECOND);
        out.row(&[("groupname", name), ("mode", "user")], user / TICKS_PER_SECOND);
    }
    let mut counter = |name: &str, help: &str, value: &dyn Fn(&Counts) -> f64| {
        out.counter(&format!("namedprocess_namegroup_{name}"), help);
        for (name, group) in groups {
            out.row(&[("groupname", name)], value(&group.total));
        }
    };
    counter("major_page_faults_total", "Major page faults", &|it| it.major_faults);
    counter("minor_page_faults_total", "Minor page faults", &|it| it.minor_faults);
    counter("read_bytes_total", "number of bytes read by this group", &|it| it.read_bytes);
    let help = "number of bytes written by this group";
    counter("write_bytes_total", help, &|it| it.written_bytes);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::collect::machine::fake::FakeMachine;
    use crate::collect::samples::shown::check;

    /// Number, name, parent, user ticks, start, resident pages.
    type Told<'a> = (&'a str, &'a str, &'a str, u32, u32, u32);

    /// A process that used so many ticks and holds so many pages.
    pub(in crate::collect::sources) fn process(id: &str, user: f64, pages: f64) -> Process {
        Process {
            id: id.to_owned(),
            name: "p".to_owned(),
            state: "S".to_owned(),
            counts: Counts { user, ..Counts::default() },
            threads: 1.0,
            start_ticks: 1.0,
            virtual_bytes: 0.0,
            resident_pages: pages,
        }
    }

    /// A line of /proc/PID/stat.
    fn stat((id, name, parent, user, start, pages): Told<'_>) -> String {
        let before = format!("{id} ({name}) S {parent} 1 1 0 -1 0 4 0 5 0 {user} 100");
        format!("{before} 0 0 20 0 2 0 {start} 8192 {pages} 0\n")
    }

    fn machine(processes: &[Told<'_>]) -> FakeMachine {
        let empty = FakeMachine::default().with("proc/stat", "cpu 1\nbtime 1000\n");
        processes.iter().fold(empty, |machine, told| {
            machine.with(&format!("proc/{}/stat", told.0), &stat(*told))
        })
    }

    fn read(groups: &mut Groups, machine: &FakeMachine) -> Samples {
        let mut out = Samples::default();
        groups.read(machine, 4096.0, &mut out).unwrap();
        out
    }

    #[test]
    fn a_name_may_hold_blanks_and_brackets() {
        let process = parse_stat(&Text::new("proc/7/stat", &stat(("7", "a) (b c", "1", 3, 4, 5))));
        let process = process.unwrap();
        assert_eq!((process.name.as_str(), process.state.as_str()), ("a) (b c", "S"));
        assert_eq!(
            (process.counts.user, process.start_ticks, process.resident_pages),
            (3.0, 4.0, 5.0)
        );
        assert!(parse_stat(&Text::new("proc/7/stat", "7 (a) S 1 2\n")).is_err());
        assert!(parse_stat(&Text::new("proc/7/stat", "")).is_err());
    }

    #[test]
    fn a_groups_counters_go_on_when_a_process_ends() {
        let mut groups = Groups::new(5, 0);
        let both = machine(&[("7", "db", "1", 500, 10, 3), ("8", "db", "1", 300, 20, 4)]);
        let expected = [
            r#"namedprocess_namegroup_cpu_seconds_total{groupname="db",mode="user"} 8"#,
            r#"namedprocess_namegroup_num_procs{groupname="db"} 2"#,
            r#"namedprocess_namegroup_memory_bytes{groupname="db",memtype="resident"} 28672"#,
            r#"namedprocess_namegroup_oldest_start_time_seconds{groupname="db"} 1000.1"#,
            r#"namedprocess_namegroup_states{groupname="db",state="Sleeping"} 2"#,
        ];
        check(&read(&mut groups, &both), 16, &expected);
        // 8 ended, 7 went on; another process got the number 8 later.
        let later = machine(&[("7", "db", "1", 600, 10, 3), ("8", "db", "1", 50, 90, 4)]);
        let expected =
            [r#"namedprocess_namegroup_cpu_seconds_total{groupname="db",mode="user"} 9.5"#];
        check(&read(&mut groups, &later), 16, &expected);
    }

    #[test]
    fn kernel_threads_of_a_kind_are_one_group() {
        let machine = machine(&[
            ("2", "kthreadd", "0", 0, 1, 0),
            ("30", "kworker/0:1", "2", 0, 1, 0),
            ("31", "kworker/1:0-events", "2", 0, 1, 0),
            ("40", "a/b", "1", 0, 1, 0),
        ]);
        let mut groups = Groups::new(9, 0);
        let out = read(&mut groups, &machine);
        let expected = [
            r#"namedprocess_namegroup_num_procs{groupname="kworker"} 2"#,
            r#"namedprocess_namegroup_num_procs{groupname="a/b"} 1"#,
        ];
        check(&out, 3 * 16, &expected);
    }

    #[test]
    fn the_busiest_and_the_biggest_are_shown_and_stay_for_a_while() {
        let group = |cpu: f64, pages: f64| Group {
            risen: Counts { user: cpu, ..Counts::default() },
            resident_pages: pages,
            ..Group::default()
        };
        let all: HashMap<String, Group> = [
            ("busy", group(9.0, 1.0)),
            ("big", group(0.0, 9.0)),
            ("next", group(1.0, 2.0)),
            ("idle", group(0.0, 0.0)),
        ]
        .map(|(name, group)| (name.to_owned(), group))
        .into();
        let names = |before: &[&str]| {
            let before = before.iter().map(|&name| name.to_owned()).collect();
            let mut names: Vec<_> = chosen(&all, &before, 2).into_iter().collect();
            names.sort();
            names
        };
        assert_eq!(names(&[]), ["big", "busy"]);
        assert_eq!(names(&["next", "gone"]), ["big", "busy", "next"]);
    }
}
