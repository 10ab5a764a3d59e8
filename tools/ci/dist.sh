#!/usr/bin/env bash
# A release to carry away: dist/quipu-VERSION-TARGET.tar.gz with its checksum.
set -euo pipefail
. "$(dirname "$0")/steps.sh"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
target=$(rustc -vV | sed -n 's/^host: //p')
name="quipu-$version-$target"

pack() {
  rm -rf "dist/$name"
  mkdir -p "dist/$name"
  strip -o "dist/$name/quipu" target/release/quipu
  cp README.md LICENSE CHANGELOG.md "dist/$name/"
  tar -C dist --sort=name --owner=0 --group=0 --numeric-owner -czf "dist/$name.tar.gz" "$name"
  (cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
  ls -l "dist/$name.tar.gz"
}

step 'release build' cargo build --release --locked --features parquet
step 'pack' pack
finished 'dist'
