# The few commands of this tree. Everything works with plain cargo too; see CONTRIBUTING.md.
#
#   DATA, LISTEN      where `make run` keeps its data, and where it listens
#   QUIPU_SHARED      the conformance data of PromQL and of the bench, kept outside the tree
#   SCALE, TARGETS    for bench
#   SECONDS_EACH      for fuzz
#   TORTURE           small or full

DATA ?= ./quipu-data
LISTEN ?= 127.0.0.1:7847
SCALE ?= small
TARGETS ?= quipu=quipu:$(CURDIR)/target/release/quipu,prometheus,victoriametrics
SECONDS_EACH ?= 60
TORTURE ?= full
export QUIPU_SHARED ?= $(abspath ../shared)

.PHONY: run check test parquet bench fuzz torture compat coverage dist

run:
	cargo build
	./target/debug/quipu serve --collect --data $(DATA) --listen $(LISTEN)

check:
	tools/ci/check.sh

test:
	tools/ci/test.sh

# What the feature adds, alone: 25 crates to build, then three tests.
parquet:
	cargo nextest run --features parquet --lib export::

bench:
	cargo build --release
	python3 tools/bench/bench.py gen --work bench-work --scales $(SCALE)
	python3 tools/bench/bench.py run --work bench-work --scale $(SCALE) --targets '$(TARGETS)' --out bench-work/$(SCALE).json

fuzz:
	tools/ci/fuzz.sh $(SECONDS_EACH)

torture:
	cargo build
	tools/ci/torture.sh $(TORTURE) target/debug/quipu

compat:
	cargo build
	python3 tools/compat/compat.py --write docs/compatibility.md
	PATH="$$PATH:$(CURDIR)/.compat/root/usr/bin" DIFFERENTIAL_COUNT=10000 cargo test --test differential -- --nocapture

coverage:
	tools/ci/coverage.sh

dist:
	tools/ci/dist.sh
