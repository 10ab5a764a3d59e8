#!/usr/bin/env bash
# Lines that the tests touch. cargo-llvm-cov where its tools are there, else tarpaulin by ptrace.
set -euo pipefail
. "$(dirname "$0")/steps.sh"

if has cargo-llvm-cov; then
  step 'coverage' cargo llvm-cov --workspace --summary-only
elif has cargo-tarpaulin; then
  step 'coverage' cargo tarpaulin --workspace --engine ptrace --skip-clean --out Stdout
else
  echo 'coverage: install cargo-llvm-cov (with the llvm-tools component) or cargo-tarpaulin' >&2
  exit 1
fi
