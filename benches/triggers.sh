#!/usr/bin/env bash
# What the triggers of a synced table cost whoever writes to it, in SQLite, sqld and D1.
# Prints a table. Usage: benches/triggers.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release -p fastest-fixtures --examples
"${CARGO_TARGET_DIR:-target}/release/examples/triggers" "${1:-5}"
