#!/usr/bin/env bash
# Questions, and rows with questions, by the million on stable Rust; then each fuzz target for some seconds:
# fuzz.sh SECONDS [INPUTS]. The targets need nightly and cargo-fuzz; `make test` replays the corpus.
set -euo pipefail
. "$(dirname "$0")/steps.sh"

if [[ ! -d fuzz/fuzz_targets ]]; then
  echo 'fuzz: there is no target yet'
  exit 1
fi
step 'fuzz: questions' env FUZZ_INPUTS="${2:-1000000}" cargo test --quiet --test fuzz_many -- --nocapture --test-threads 1
if ! has cargo-fuzz; then
  echo 'fuzz: install it with `cargo install --locked cargo-fuzz`, and a nightly toolchain' >&2
  exit 1
fi
for file in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$file" .rs)
  step "fuzz: $name" cargo +nightly fuzz run "$name" -- -max_total_time="$1" -rss_limit_mb=2048
done
finished 'fuzz'
