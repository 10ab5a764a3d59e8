//! Asks every source, and puts what they say into a batch.

use std::sync::Arc;
use std::time::Duration;

use crate::collect::samples::Samples;
use crate::collect::series::SeriesCache;
use crate::collect::sources::{Cpus, Groups, SOURCES, State, own_process, page_bytes};
use crate::collect::{Counter, Error, Machine};
use crate::model::{self, Batch, Registry, Timestamp};
use crate::os::Clock;

/// What a machine's owner may choose.
#[derive(Clone, Debug)]
pub struct Config {
    /// The label `instance` of every series; where empty, the machine's name.
    pub instance: String,
    /// Further labels of every series that has none of these names.
    pub labels: Vec<(String, String)>,
    /// How many groups of processes are shown, those first that use most; 0 shows none.
    pub process_groups_max: usize,
    /// How many single processes are shown of those that use most CPU, hold most memory, read and
    /// write most; 0 shows none.
    pub top_processes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        // 30 groups are about 500 series: as many as the rest of a machine of eight processors has.
        Self {
            instance: String::new(),
            labels: Vec::new(),
            process_groups_max: 30,
            top_processes_max: 10,
        }
    }
}

/// Reads one machine, again and again.
pub struct Collector {
    machine: Box<dyn Machine>,
    clock: Arc<dyn Clock>,
    state: State,
    samples: Samples,
    node: SeriesCache,
    process: SeriesCache,
    counters: SeriesCache,
    errors: Vec<(&'static str, Error)>,
}

impl Collector {
    /// `clock` measures how long each source took.
    pub fn new(machine: Box<dyn Machine>, clock: Arc<dyn Clock>, config: Config) -> Self {
        let Config { mut instance, labels, process_groups_max, top_processes_max } = config;
        if instance.is_empty() {
            let name = machine.read("proc/sys/kernel/hostname").unwrap_or_default();
            name.trim().clone_into(&mut instance);
        }
        let base = |job: &str| {
            let mut base = labels.clone();
            base.retain(|(name, _)| name != "job" && name != "instance");
            base.push(("job".to_owned(), job.to_owned()));
            base.push(("instance".to_owned(), instance.clone()));
            SeriesCache::new(base)
        };
        Self {
            state: State {
                page_bytes: page_bytes(machine.as_ref()),
                cpus: Cpus::default(),
                groups: Groups::new(process_groups_max, top_processes_max),
            },
            node: base("node"),
            process: base("quipu"),
            counters: base("quipu"),
            samples: Samples::default(),
            errors: Vec::new(),
            machine,
            clock,
        }
    }

    /// Adds to `batch` what the machine and this process say, at `now`.
    ///
    /// What a source could not read is in [`Self::errors`] and stops no other.
    ///
    /// # Errors
    /// What the registry says where it has no room for a new series; the batch holds what came before.
    pub fn collect(
        &mut self,
        now: Timestamp,
        registry: &dyn Registry,
        batch: &mut Batch,
    ) -> Result<(), model::Error> {
        self.errors.clear();
        self.samples.clear();
        let asked = self.ask_sources();
        self.describe_sources(&asked);
        self.samples.gauge("up", "Whether the last collection was written.").value(1.0);
        let help = "System time in seconds since epoch (1970).";
        self.samples.gauge("node_time_seconds", help).value(seconds(now));
        self.node.write(&self.samples, now, registry, batch)?;

        self.samples.clear();
        let machine = self.machine.as_ref();
        if let Err(error) = own_process(machine, self.state.page_bytes, &mut self.samples) {
            self.errors.push(("process", error));
        }
        self.process.write(&self.samples, now, registry, batch)
    }

    /// Adds the server's own figures to `batch`, at `now`. Always give all of them: one that is
    /// missing is marked stale.
    ///
    /// # Errors
    /// As [`Self::collect`].
    pub fn count(
        &mut self,
        now: Timestamp,
        counters: &[Counter<'_>],
        registry: &dyn Registry,
        batch: &mut Batch,
    ) -> Result<(), model::Error> {
        self.samples.clear();
        for counter in counters {
            self.samples
                .family(counter.name, counter.kind, counter.help)
                .row(counter.labels, counter.value);
        }
        self.counters.write(&self.samples, now, registry, batch)
    }

    /// The sources that failed in the last collection, by name.
    pub fn errors(&self) -> &[(&'static str, Error)] {
        &self.errors
    }

    /// Each source's name, how long it took and whether it succeeded.
    fn ask_sources(&mut self) -> Vec<(&'static str, Duration, bool)> {
        let mut asked = Vec::with_capacity(SOURCES.len());
        for (name, read) in SOURCES {
            let begun = self.clock.monotonic();
            let done = read(&mut self.state, self.machine.as_ref(), &mut self.samples);
            let took = self.clock.monotonic().saturating_sub(begun);
            asked.push((*name, took, done.is_ok()));
            if let Err(error) = done {
                self.errors.push((name, error));
            }
        }
        asked
    }

    fn describe_sources(&mut self, asked: &[(&'static str, Duration, bool)]) {
        let help = "node_exporter: Duration of a collector scrape.";
        self.samples.gauge("node_scrape_collector_duration_seconds", help);
        for (name, took, _) in asked {
            self.samples.row(&[("collector", name)], took.as_secs_f64());
        }
        let help = "node_exporter: Whether a collector succeeded.";
        self.samples.gauge("node_scrape_collector_success", help);
        for (name, _, is_ok) in asked {
            self.samples.row(&[("collector", name)], f64::from(u8::from(*is_ok)));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 stay below 2^53")]
fn seconds(now: Timestamp) -> f64 {
    now.millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;
    use crate::collect::ThisMachine;
    use crate::collect::machine::fake::FakeMachine;
    use crate::collect::series::fake::FakeRegistry;
    use crate::model::{Label, MetricKind, is_stale};
    use crate::os::{SimClock, Space, SystemClock};

    fn small() -> FakeMachine {
        FakeMachine::default()
            .with("proc/loadavg", "0.27 0.67 0.43 1/93 19338\n")
            .with("proc/meminfo", "MemTotal: x kB\n")
            .with("proc/sys/kernel/hostname", "web-1\n")
    }

    /// What the registry knows of each row, with the value.
    fn rows(batch: &Batch, registry: &FakeRegistry) -> Vec<(String, f64)> {
        let series = batch.rows.series().iter().map(|series| registry.labels(*series));
        series.zip(batch.rows.values().iter().copied()).collect()
    }

    #[test]
    fn a_source_that_fails_says_so_and_stops_no_other() {
        let clock = Arc::new(SimClock::default());
        let mut collector = Collector::new(Box::new(small()), clock, Config::default());
        let (registry, mut batch) = (FakeRegistry::default(), Batch::default());
        collector.collect(Timestamp(7_000_000_000), &registry, &mut batch).unwrap();
        let rows = rows(&batch, &registry);
        let has = |labels: &str, value: f64| rows.contains(&(labels.to_owned(), value));
        let base = r#"instance="web-1", job="node"}"#;
        assert!(has(&format!(r#"{{__name__="node_load1", {base}"#), 0.27));
        assert!(has(&format!(r#"{{__name__="node_time_seconds", {base}"#), 7.0));
        for (name, success) in [("loadavg", 1.0), ("meminfo", 0.0), ("hwmon", 0.0)] {
            let begin = r#"{__name__="node_scrape_collector_success", collector="#;
            assert!(has(&format!("{begin}{name:?}, {base}"), success), "{name}");
        }
        let meminfo = collector.errors().iter().find(|(name, _)| *name == "meminfo").unwrap();
        assert!(meminfo.1.to_string().contains("expected a number"), "{}", meminfo.1);
    }

    #[test]
    fn own_figures_are_of_the_job_quipu() {
        let clock = Arc::new(SimClock::default());
        let mut collector = Collector::new(Box::new(small()), clock, Config::default());
        let (registry, mut batch) = (FakeRegistry::default(), Batch::default());
        let labels: &[Label<'_>] = &[("door", "line")];
        let help = "Rows taken.";
        let kind = MetricKind::Counter;
        let counter = Counter { name: "quipu_rows_total", help, kind, labels, value: 3.0 };
        for counters in [&[counter][..], &[]] {
            collector.count(Timestamp(0), counters, &registry, &mut batch).unwrap();
        }
        let rows = rows(&batch, &registry);
        let expected =
            r#"{__name__="quipu_rows_total", door="line", instance="web-1", job="quipu"}"#;
        assert_eq!(rows.first().unwrap(), &(expected.to_owned(), 3.0));
        assert!(rows.len() == 2 && is_stale(rows[1].1));
        assert_eq!(batch.metadata[0].kind, MetricKind::Counter);
    }

    #[test]
    fn this_machine_is_collected_and_the_second_time_registers_little() {
        let machine = Box::new(ThisMachine::new().unwrap());
        let clock = Arc::new(SystemClock::new());
        let mut collector = Collector::new(machine, clock, Config::default());
        let (registry, mut batch) = (FakeRegistry::default(), Batch::default());
        collector.collect(Timestamp(1_000_000), &registry, &mut batch).unwrap();
        let first = registry.len();
        let must = ["cpu", "meminfo", "loadavg", "netdev", "uname", "process_groups", "process"];
        let failed: Vec<_> =
            collector.errors().iter().filter(|(name, _)| must.contains(name)).collect();
        assert!(failed.is_empty(), "{failed:?}");
        assert!(first > 200, "only {first} series");
        collector.collect(Timestamp(2_000_000), &registry, &mut batch).unwrap();
        // Processes come and go meanwhile; all else is known.
        assert!(registry.len() < first + first / 2, "{first}, then {}", registry.len());
    }

    /// A machine that says the same, whatever it is asked.
    #[derive(Debug)]
    struct Noise(String);

    impl Machine for Noise {
        fn read(&self, _: &str) -> io::Result<String> {
            Ok(self.0.clone())
        }

        fn list(&self, _: &str) -> io::Result<Vec<String>> {
            let names = ["1", "cpu0", "hwmon0", "temp1_input", "thermal_zone0", "x.slice"];
            Ok(names.map(str::to_owned).into())
        }

        fn space(&self, _: &str) -> io::Result<Space> {
            Ok(Space { total: u64::MAX, free: 0 })
        }
    }

    /// Words that the sources look for, among noise.
    fn words() -> impl Strategy<Value = String> {
        let known = "cpu[0-9]|btime|intr|1 \\(a\\) S|some total=|0::/|Max open files|eth0:|Tcp:|/dev/x / ext4 rw";
        let any = prop_oneof![known, "[0-9]{1,20}", "-?[0-9.e]{1,8}", "\\PC{0,6}", "[ \n:=()\\\\]"];
        proptest::collection::vec(any, 0..60).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn any_text_is_rows_or_errors(text in words()) {
            let clock = Arc::new(SimClock::default());
            let mut collector = Collector::new(Box::new(Noise(text)), clock, Config::default());
            let (registry, mut batch) = (FakeRegistry::default(), Batch::default());
            collector.collect(Timestamp(0), &registry, &mut batch).unwrap();
            prop_assert!(batch.rows.values().iter().all(|value| value.is_finite()));
        }
    }
}
