//! Random questions about random rows, asked of Quipu and of a real Prometheus 2.42.
//!
//! Without Prometheus there is nothing to compare with: the test says so and passes, but not where a
//! number of questions is asked for, as `make compat` does.
//! How to run it and what to do with what it finds: tests/README.md.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be is a failed test")]
#![expect(clippy::indexing_slicing, reason = "what cannot be is a failed test")]
#![expect(clippy::cast_precision_loss, reason = "the numbers are small")]
#![expect(clippy::cast_possible_truncation, reason = "the numbers are small")]

#[path = "../http/server.rs"]
#[expect(dead_code, reason = "each test binary uses a part")]
mod server;

mod blame;
mod causes;
mod extrapolation;
mod generate;
mod node;
mod peers;
mod report;
#[path = "../support/rows.rs"]
mod rows;
mod shapes;
mod stores;
#[path = "../support/tiers.rs"]
mod tiers;
mod value;

use std::sync::atomic::{AtomicUsize, Ordering};

use generate::Case;
use node::Dialect;
use peers::{Client, Prometheus, installed};
use report::{Found, Report};
use server::Server;
use stores::Store;
use value::{Apart, apart};

/// Questions about one set of rows.
const PER_WORLD: usize = 2_500;
/// Where nothing else is said: some seconds.
const COUNT: usize = 300;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

/// Everyone who is asked about one set of rows.
struct World {
    stores: Vec<Store>,
    ours: String,
    theirs: String,
}

impl World {
    /// The same rows for all.
    fn new(server: &Server, prometheus: &Prometheus, seed: u64) -> Self {
        let rows = shapes::all(seed);
        let (ours, theirs) = (server.url.clone(), prometheus.address.clone());
        for address in [&ours, &theirs] {
            Client::connect(address).unwrap().write(&rows);
        }
        Self { stores: stores::all(&rows), ours, theirs }
    }
}

/// Connections of one thread.
struct Asker<'a> {
    world: &'a World,
    ours: Client,
    theirs: Client,
}

impl<'a> Asker<'a> {
    fn new(world: &'a World) -> Self {
        let connect = |address: &str| Client::connect(address).unwrap();
        Self { world, ours: connect(&world.ours), theirs: connect(&world.theirs) }
    }

    fn check(&mut self, question: &Case, label: String) -> Found {
        let Case { root, times } = question;
        let text = root.print(Dialect::Ours);
        let is_ordered = times.step == 0 && matches!(root.name, "sort" | "sort_desc");
        let mine = self.ours.ask(&text, *times);
        let mut differing = Vec::new();
        let again = self.ours.ask(&text, *times);
        let states = self.world.stores.iter().map(|store| (store.state, store.ask(&text, *times)));
        for (state, other) in [("again", again)].into_iter().chain(states) {
            match apart(&mine, &other, is_ordered) {
                Apart::Not => {}
                found => differing.push(format!("{state}: {found:?}")),
            }
        }
        let theirs = self.theirs.ask(&root.print(Dialect::Theirs), *times);
        let apart = apart(&mine, &theirs, is_ordered);
        let blamed = match &apart {
            Apart::Far(_) => Some(blame::blame(self, &root.pinned(*times), *times)),
            Apart::Not | Apart::Little => None,
        };
        let cause = blamed.as_ref().and_then(|blamed| causes::cause(self, blamed));
        Found {
            label,
            text,
            times: *times,
            is_empty: mine.is_empty(),
            mine,
            theirs,
            apart,
            differing,
            blamed,
            cause,
        }
    }
}

/// Seeds of neighbouring questions have nothing in common.
fn seed_of(seed: u64, index: usize) -> u64 {
    let mixed = (seed << 32).wrapping_add(index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

fn run(world: &World, seed: u64, indexes: std::ops::Range<usize>, report: &mut Report) {
    let next = AtomicUsize::new(indexes.start);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let mut asker = Asker::new(world);
        let mut found = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if !indexes.contains(&index) {
                break found;
            }
            let case = generate::case(seed_of(seed, index));
            found.push(asker.check(&case, format!("{seed}:{index}")));
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for found in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            report.add(found);
        }
    });
}

#[test]
fn random_questions_have_the_answers_of_prometheus() {
    let Some(program) = installed("prometheus") else {
        assert!(variable("DIFFERENTIAL_COUNT").is_none(), "there is no Prometheus to compare with");
        println!("skipped: no `prometheus` in PATH (apt install prometheus)");
        return;
    };
    let (mut seed, mut indexes) = (
        variable("DIFFERENTIAL_SEED").unwrap_or(1),
        0..variable("DIFFERENTIAL_COUNT").map_or(COUNT, |count| count as usize),
    );
    let only = std::env::var("DIFFERENTIAL_ONLY").ok();
    if let Some((one, index)) = only.as_deref().and_then(|only| only.split_once(':')) {
        seed = one.parse().unwrap();
        let index = index.parse().unwrap();
        indexes = index..index + 1;
    }
    let mut report = Report::default();
    while !indexes.is_empty() {
        let number = indexes.start / PER_WORLD;
        let until = indexes.end.min((number + 1) * PER_WORLD);
        let (server, prometheus) = (Server::start(), Prometheus::start(&program, number));
        let world = World::new(&server, &prometheus, seed_of(seed, number));
        run(&world, seed, indexes.start..until, &mut report);
        indexes.start = until;
    }
    report.finish(only.is_some());
}
