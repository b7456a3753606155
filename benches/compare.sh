#!/usr/bin/env bash
# Runs Fastest beside git and restic on a tree that you name, alternating, in one run, and prints
# medians, ratios to git, peak memory and stored size. Each step's result is checked.
#
#   benches/compare.sh TREE [RUNS] [WORK_FOLDER]
#
# Needs GNU time. A peer that is not installed is left out, by name.
set -euo pipefail
tree=${1:?usage: benches/compare.sh TREE [RUNS] [WORK_FOLDER]}
runs=${2:-3}
work=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/fastest-compare.XXXXXX")
here=$(cd "$(dirname "$0")/.." && pwd)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

command -v /usr/bin/time >/dev/null || { echo "compare.sh needs GNU time (/usr/bin/time)" >&2; exit 2; }
cargo build --release --quiet --manifest-path "$here/Cargo.toml"
fastest=$here/target/release/fastest
peers=(fastest git)
if command -v restic >/dev/null; then peers+=(restic); else echo "restic is not installed: left out"; fi
export RESTIC_PASSWORD=bench GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@b GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@b
results=$work/results

# measure PEER STEP COMMAND…: appends "peer step seconds kilobytes".
measure() {
  local peer=$1 name=$2; shift 2
  sync
  /usr/bin/time -o "$work/time" -f '%e %M' "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
  echo "$peer $name $(tail -n 1 "$work/time")" >>"$results"
}
same() {
  diff -rq --no-dereference --exclude=.git --exclude=.fastest "$1" "$2" >&2 || { echo "$1 and $2 differ" >&2; exit 1; }
}

fastest_run() {
  local d=$1 f="$fastest --quiet --no-progress"
  export FASTEST_STORE=$d/store
  $f remote set "file://$d/primary.db"; $f -C "$d/tree" init --name tree
  measure fastest 1-first-snapshot $f -C "$d/tree" snapshot
  measure fastest 2-first-push $f -C "$d/tree" push
  echo "fastest stored $(du -sk "$d/store/objects" | cut -f1) 0" >>"$results"
  measure fastest 3-status-unchanged $f -C "$d/tree" status
  echo "$RANDOM" >>"$d/tree/$changed"
  measure fastest 4-one-file-push $f -C "$d/tree" push
  FASTEST_STORE=$d/store2 $f remote set "file://$d/primary.db"
  FASTEST_STORE=$d/store2 measure fastest 5-clone $f clone tree "$d/copy"
  same "$d/tree" "$d/copy"
}

git_run() {
  local d=$1 g="git -C $1/tree -c gc.auto=0"
  git init -q --bare "$d/remote.git"
  git init -q "$d/tree"; $g remote add origin "$d/remote.git"
  measure git 1-first-snapshot bash -euo pipefail -c "$g add -A && $g commit -qm first"
  measure git 2-first-push $g push -q origin HEAD:main
  echo "git stored $(du -sk "$d/tree/.git" | cut -f1) 0" >>"$results"
  $g config feature.manyFiles true; $g config core.untrackedCache true; $g status >/dev/null; $g status >/dev/null
  measure git 3-status-unchanged $g status --short
  echo "$RANDOM" >>"$d/tree/$changed"
  measure git 4-one-file-push bash -euo pipefail -c "$g commit -qam change && $g push -q origin HEAD:main"
  measure git 5-clone git clone -q -b main "$d/remote.git" "$d/copy"
  same "$d/tree" "$d/copy"
}

restic_run() {
  local d=$1 r="restic -q -r $1/repo --no-cache"
  $r init
  measure restic 1-first-snapshot $r backup "$d/tree"
  echo "restic stored $(du -sk "$d/repo" | cut -f1) 0" >>"$results"
  measure restic 3-status-unchanged $r backup "$d/tree"
  echo "$RANDOM" >>"$d/tree/$changed"
  measure restic 4-one-file-push $r backup "$d/tree"
  measure restic 5-clone $r restore latest --target "$d/copy"
  same "$d/tree" "$d/copy/$d/tree"
}

changed=$(cd "$tree" && find . -type f -size -64k -not -path '*/.*' | sort | sed -n '1000p;$p' | head -n 1)
find "$tree" -type f -print0 | xargs -0 cat >/dev/null
for run in $(seq "$runs"); do
  for peer in "${peers[@]}"; do
    dir=$work/$peer; mkdir "$dir"
    cp -a "$tree" "$dir/tree"; rm -rf "$dir/tree/.git" "$dir/tree/.fastest"
    # Every file is to be stored, and compared at the end.
    find "$dir/tree" \( -name .gitignore -o -name .gitattributes \) -delete
    "${peer}_run" "$dir"
    chmod -R u+w "$dir"; rm -rf "$dir"
  done
  echo "run $run of $runs done" >&2
done

awk -v runs="$runs" '
  function median(key,   list, n, i, j, t) {
    n = split(values[key], list, " ")
    for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j-1] + 0 > list[j] + 0; j--) { t = list[j]; list[j] = list[j-1]; list[j-1] = t }
    return n ? list[int((n + 1) / 2)] : ""
  }
  { key = $2 " " $1; values[key] = values[key] " " $3; steps[$2]; peers[$1]; if ($4 + 0 > memory[key] + 0) memory[key] = $4 }
  END {
    printf "%-20s %-8s %10s %10s %10s\n", "step", "peer", "median", "x git", "peak MB"
    n = split("1-first-snapshot 2-first-push 3-status-unchanged 4-one-file-push 5-clone stored", order, " ")
    split("fastest git restic", who, " ")
    for (s = 1; s <= n; s++) for (p = 1; p <= 3; p++) {
      key = order[s] " " who[p]; m = median(key); if (m == "") continue
      g = median(order[s] " git")
      unit = order[s] == "stored" ? " MB" : " s"; shown = order[s] == "stored" ? m / 1024 : m
      printf "%-20s %-8s %7.2f%s %10.3f %10.0f\n", order[s], who[p], shown, unit, (g > 0 ? m / g : 0), memory[key] / 1024
    }
  }' "$results"
