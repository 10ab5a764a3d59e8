#!/usr/bin/env bash
# The torture scripts against a binary: torture.sh small|full BINARY
set -euo pipefail
size=$1
binary=$(realpath "$2")
. "$(dirname "$0")/steps.sh"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/quipu-torture-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# A script's output is long and read only where it failed.
quiet() {
  local log="$scratch/log"
  "$@" >"$log" 2>&1 || { tail -n 60 "$log"; return 1; }
}

run() {
  local name=$1
  shift
  step "torture: $name" quiet \
    python3 "tools/torture/$name.py" --binary "$binary" --data "$scratch/$name" "$@"
}

case $size in
  small)
    run crash --cycles 6 --max-run 1
    if has gcc; then
      run powercut --states 16 --seconds 2
    else
      missing 'torture: powercut needs gcc'
    fi
    run bitflip --trials 20
    run backup --kills 4 --moments 3 --flips 4 --run 0.4
    if [[ $EUID == 0 ]]; then
      run enospc --mib 24 --seconds 30
    else
      run enospc --limit-file-size 512
    fi
    run hostile
    run hostile --auth
    ;;
  full)
    run crash --cycles 200 --max-run 10
    run powercut --states 400
    run bitflip --trials 1000
    run backup --kills 50 --moments 50 --flips 100
    run backup --kills 50 --moments 20 --flips 20 --archive
    if has moto_server; then
      run backup --kills 25 --s3
      run backup --kills 10 --s3 --archive
    else
      missing 'torture: backup --s3 needs moto_server'
    fi
    [[ $EUID != 0 ]] || run enospc --mib 512
    run hostile
    run hostile --auth
    run load --minutes 10
    run load --minutes 10 --overload
    ;;
  *)
    echo 'torture.sh small|full BINARY' >&2
    exit 2
    ;;
esac
finished "torture, $size"
