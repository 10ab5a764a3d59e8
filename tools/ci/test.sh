#!/usr/bin/env bash
# Everything that must hold, in small, under forty minutes on two cores.
set -euo pipefail
. "$(dirname "$0")/steps.sh"

tests() {
  if has cargo-nextest; then
    cargo nextest run --workspace --no-fail-fast --status-level fail --final-status-level slow
  else
    cargo test --workspace --quiet
  fi
}

# PromQL's own cases against the binary. Native histograms and start timestamps count too.
conformance() {
  local suite="$QUIPU_SHARED/conformance/promql"
  local serve="$PWD/target/debug/quipu serve --listen 127.0.0.1:{port} --data {dir}"
  python3 "$suite/run.py" --start "$serve" --native-histograms --start-timestamps --range-check &&
  python3 "$suite/run.py" --start "$serve" --parse-cases "$suite/parse_cases.json"
}

# Beside the peers that are installed: all samples arrive, and all answers agree.
smoke() {
  PATH="$PWD/target/debug:$PATH:$PWD/.compat/root/usr/bin" python3 tools/bench/bench.py smoke --work bench-work
}

step 'check' tools/ci/check.sh
step 'tests' tests
step 'documentation tests' cargo test --workspace --doc --quiet
step 'format page' python3 tools/format/read.py tests/golden/v1/database
step 'format page, tiers' python3 tools/format/read.py tests/golden/v1/tiers
step 'build' cargo build --quiet
step 'tour' python3 tools/ci/tour.py --binary target/debug/quipu README.md
step 'torture' tools/ci/torture.sh small target/debug/quipu
if [[ -d $QUIPU_SHARED/conformance/promql ]]; then
  step 'conformance' conformance
else
  missing "conformance: no data in $QUIPU_SHARED (set QUIPU_SHARED)"
fi
step 'bench smoke' smoke
finished 'test'
