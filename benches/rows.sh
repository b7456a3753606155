#!/usr/bin/env bash
# Rows into an empty replica: from D1 and from sqld, and beside them Turso's own embedded replica from
# that same sqld. Prints seconds, rows a second and peak memory. Usage: benches/rows.sh [ROWS] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
rows=${1:-100000} runs=${2:-3}

cargo build --quiet --release
cargo build --quiet --release -p fastest-fixtures --examples
cargo build --quiet --release --manifest-path benches/peers/turso-replica/Cargo.toml
fastest=$PWD/target/release/fastest
turso=$PWD/benches/peers/turso-replica/target/release/turso-replica

work=$(mktemp -d)
mkfifo "$work/hold"
target/release/examples/servers <"$work/hold" >"$work/servers" &
exec 3>"$work/hold"
trap 'exec 3>&-; wait; rm -rf "$work"' EXIT
until grep -q S3_FOLDER "$work/servers"; do sleep 0.2; done
# shellcheck disable=SC1091
source "$work/servers"

# Seconds and peak memory in MB of a command; its output goes to a file.
measure() {
    /usr/bin/time -f '%e %M' -o "$work/time" "$@" >"$work/out"
    awk '{ printf "%s %.0f\n", $1, $2 / 1024 }' "$work/time"
}
report() { awk -v rows="$rows" -v what="$1" '{ printf "%-28s %6.2f s  %9.0f rows/s  %4d MB\n", what, $1, rows / ($1 > 0 ? $1 : 0.01), $2 }'; }

for server in sqld D1; do
    url=$SQLD
    [ "$server" = D1 ] && url=$D1
    mkdir -p "$work/$server/app"
    echo begun >"$work/$server/app/file"
    "$fastest" --quiet --store "$work/$server/store" remote set "$url"
    "$fastest" --quiet --store "$work/$server/store" -C "$work/$server/app" push >/dev/null
    target/release/examples/fill "$url" app "$rows"
done
for run in $(seq "$runs"); do
    for server in sqld D1; do
        url=$SQLD
        [ "$server" = D1 ] && url=$D1
        store="$work/$server/new-$run"
        "$fastest" --quiet --store "$store" remote set "$url"
        measure "$fastest" --quiet --store "$store" clone app "$work/$server/copy-$run" | report "Fastest from $server"
    done
    measure "$turso" "$SQLD" "$work/turso-$run.db" | report "Turso's replica from sqld"
done
