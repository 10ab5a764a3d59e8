#!/usr/bin/env bash
# Each fuzz target for some seconds: fuzz.sh SECONDS. Needs nightly and cargo-fuzz; `make test` replays
# the corpus with plain stable Rust.
set -euo pipefail
. "$(dirname "$0")/steps.sh"

if [[ ! -d fuzz/fuzz_targets ]]; then
  echo 'fuzz: there is no target yet'
  exit 1
fi
if ! has cargo-fuzz; then
  echo 'fuzz: install it with `cargo install --locked cargo-fuzz`, and a nightly toolchain' >&2
  exit 1
fi
for file in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$file" .rs)
  step "fuzz: $name" cargo +nightly fuzz run "$name" -- -max_total_time="$1" -rss_limit_mb=2048
done
finished 'fuzz'
