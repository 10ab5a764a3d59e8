# Sourced by the scripts beside it: runs a step, prints how long it took, stops at the first that fails.

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
QUIPU_SHARED="$(realpath -m "${QUIPU_SHARED:-../shared}")"
begun=$SECONDS

step() {
  local name=$1 before=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then
    printf -- '-- %s: ok, %d s\n' "$name" $((SECONDS - before))
  else
    local status=$?
    printf -- '-- %s: FAILED (exit %d), %d s: %s\n' "$name" "$status" $((SECONDS - before)) "$*" >&2
    exit "$status"
  fi
}

finished() {
  printf '\n%s passed in %d s\n' "$1" $((SECONDS - begun))
}

has() { command -v "$1" >/dev/null 2>&1; }

# A tool that is not here is left out on a desk, and is a fault in CI.
missing() {
  if [[ ${CI:-} == true ]]; then
    printf '%s\n' "$1: must be there in CI" >&2
    exit 1
  fi
  printf '== left out: %s\n' "$1" >&2
}
