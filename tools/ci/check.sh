#!/usr/bin/env bash
# Format, lints, documentation and the floor plan: what a person checks before they commit.
set -euo pipefail
. "$(dirname "$0")/steps.sh"

step 'format' cargo fmt --all --check
step 'lints' cargo clippy --workspace --all-targets --quiet -- -D warnings
step 'documentation' env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
step 'floor plan' cargo test --quiet --test house
if has cargo-deny; then
  step 'crates' cargo deny --log-level error check bans licenses sources
fi
finished 'check'
