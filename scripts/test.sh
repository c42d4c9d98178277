#!/usr/bin/env bash
# Everything: the checks, then all tests, on throwaway PostgreSQL clusters. --long adds the long ones.
set -euo pipefail
tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
. "$tree/scripts/setup.sh"
cd -- "$tree"

for argument; do
    case $argument in
        --long) export TIDEGATE_LONG=1 ;;
        *) die "unknown argument $argument; usage: scripts/test.sh [--long]" ;;
    esac
done

find_pooler || want "pgbouncer" "the pooler that tests put before their databases; neither started nor enabled"
setup Cargo.toml rustfmt clippy
find_pooler || die "there is no /usr/sbin/pgbouncer"
part "checks" scripts/check.sh
if cargo nextest --version >/dev/null 2>&1; then
    part "tests (cargo nextest)" cargo nextest run --locked --features failpoints
else
    say "cargo-nextest is not installed, so this is plain cargo test, which takes longer"
    part "tests (cargo test)" cargo test --locked --no-fail-fast --features failpoints --lib --bins --tests
fi
if [[ -n ${TIDEGATE_TEST_SQLSERVER_URL:-} ]]; then
    part "tests of a real SQL Server" cargo test --locked --features failpoints --test db sqlserver_real -- --ignored --test-threads 1
else
    say "NO REAL SQL SERVER WAS ASKED: set TIDEGATE_TEST_SQLSERVER_URL to sqlserver://user:password@host:port"
    say "of a login that may make databases, and the tests called sqlserver_real are not ignored"
fi
say "total: $SECONDS s"
say "all passed"
