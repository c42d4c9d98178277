#!/usr/bin/env bash
# What needs no database: format, lints, the tidy test, doc tests. Run it before each commit.
set -euo pipefail
tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
. "$tree/scripts/setup.sh"
cd -- "$tree"

need_rust Cargo.toml rustfmt clippy
part "format" cargo fmt --check
part "lints" cargo clippy --locked --all-targets --features failpoints -- -D warnings
part "lints as released" cargo clippy --locked --all-targets -- -D warnings
part "tidy" cargo test --locked --quiet --features failpoints --test tidy
part "doc tests" cargo test --locked --quiet --features failpoints --doc
