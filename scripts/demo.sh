#!/usr/bin/env bash
# Builds tidegate and runs its demo: scripts/demo.sh [--release] [arguments of `tidegate demo`].
set -euo pipefail
tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
. "$tree/scripts/setup.sh"

profile=()
if [ "${1-}" = --release ]; then
    profile=(--release)
    shift
fi

setup "$tree/Cargo.toml"
say "building tidegate; the first time takes some minutes"
exec cargo run --locked --manifest-path "$tree/Cargo.toml" "${profile[@]}" -- demo "$@"
