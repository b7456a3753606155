#!/usr/bin/env bash
# Replays the first-parent history of a git repository between two devices, and compares.
#
#   FASTEST=/path/to/fastest replay_git.sh REPOSITORY [REVISION]
#
# Device A works in a git working tree, in which each commit is checked out and pushed. Device B pulls
# after every 20th, and after the last. What stands on B then is taken into a git index, whose tree must
# be that of the commit: names, executable bits, links and bytes. Set aside are gitlinks (the content of
# submodules is another repository's), filters and line ends (both working trees hold raw bytes), and files
# of which a pull said that they are in the project no more and stay: they were ignored and deleted between
# two pulls.
#
# COMMITS=N   replay the last N commits alone
# EVERY=N     pull after every Nth commit
# SCRATCH=DIR where the two working trees and stores go; by default a temporary folder
#
# Exit status: 0 all trees are equal, 1 one is not, or a command failed.
set -euo pipefail
export LC_ALL=C

fastest=${FASTEST:?names the binary to try}
repository=$(cd "${1:?names a git repository}" && git rev-parse --absolute-git-dir)
revision=${2:-HEAD}
commits=${COMMITS:-1000000000}
every=${EVERY:-20}

scratch=$(mktemp -d "${SCRATCH:-${TMPDIR:-/tmp}}/replay.XXXXXX")
trap 'chmod -R u+rwX "$scratch"; rm -rf "$scratch"' EXIT
# Nothing of the user's own settings has a say.
export HOME=$scratch/home FASTEST_KEYRING=off FASTEST_STORE=
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset XDG_CONFIG_HOME XDG_DATA_HOME GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
mkdir "$HOME"

on_a() { run "$scratch/store-a" "$@"; }
on_b() { run "$scratch/store-b" "$@"; }
run() {
  local store=$1 code=0
  shift
  "$fastest" --store "$store" --no-progress "$@" >"$scratch/told" 2>&1 || code=$?
  if [ $code != 0 ]; then
    echo "fastest $*: exit status $code" >&2
    cat "$scratch/told" >&2
    exit 1
  fi
}

# Raw bytes in the working tree of a git directory, whatever its .gitattributes say.
raw() {
  mkdir -p "$1/info"
  echo '* -text -eol -ident -filter -working-tree-encoding' >"$1/info/attributes"
  git --git-dir="$1" config core.autocrlf false
  git --git-dir="$1" config core.precomposeunicode false
}

# The tree of a commit without gitlinks.
expected() {
  local index=$scratch/expected.index
  rm -f "$index"
  GIT_INDEX_FILE=$index git -C "$scratch/A" read-tree "$1"
  git -C "$scratch/A" ls-tree -r "$1" | sed -n $'s/^160000 commit [0-9a-f]*\t//p' |
    GIT_INDEX_FILE=$index git -C "$scratch/A" update-index --force-remove --stdin
  GIT_INDEX_FILE=$index git -C "$scratch/A" write-tree
}

# The tree of what stands on B, but for what a pull said stays there untracked and the tree $1 lacks.
found() {
  local path git=(git --git-dir="$scratch/look.git" --work-tree="$scratch/B")
  "${git[@]}" -C "$scratch/B" add --force --all -- . ':(exclude,top).fastest'
  while IFS= read -r path; do
    git -C "$scratch/A" cat-file -e "$1:$path" 2>/dev/null ||
      "${git[@]}" update-index --force-remove -- "$path"
  done <"$scratch/untracked"
  "${git[@]}" write-tree
}

check() {
  local is should
  should=$(expected "$1")
  is=$(found "$should")
  if [ "$is" != "$should" ]; then
    echo "commit $1: what stands on B is not what was committed (-), but (+)" >&2
    GIT_ALTERNATE_OBJECT_DIRECTORIES=$scratch/A/.git/objects \
      git --git-dir="$scratch/look.git" diff-tree -r --no-renames --abbrev "$should" "$is" |
      head -n 50 >&2 || true
    exit 1
  fi
}

git clone --quiet --shared --no-checkout "$repository" "$scratch/A"
raw "$scratch/A/.git"
git init --quiet --bare "$scratch/look.git"
raw "$scratch/look.git"
git --git-dir="$repository" rev-list --first-parent --reverse --max-count="$commits" "$revision" \
  >"$scratch/list"
total=$(wc -l <"$scratch/list" | tr -d ' ')

on_a remote set "file://$scratch/primary.db"
on_b remote set "file://$scratch/primary.db"
done=0 checked=0
: >"$scratch/untracked"
while read -r commit; do
  git -C "$scratch/A" checkout --quiet --force --detach "$commit"
  if [ $done = 0 ]; then
    on_a init "$scratch/A" --name replay
    on_a -C "$scratch/A" push
    on_b clone replay "$scratch/B"
  else
    on_a -C "$scratch/A" push
  fi
  done=$((done + 1))
  if [ $((done % every)) = 0 ] || [ "$done" = "$total" ]; then
    on_b -C "$scratch/B" pull
    sed -n 's/^- //p' "$scratch/told" >>"$scratch/untracked"
    check "$commit"
    checked=$((checked + 1))
  fi
done <"$scratch/list"
status=$(git -C "$scratch/A" status --porcelain --untracked-files=no --ignore-submodules)
[ -z "$status" ] || { echo "pushing changed A's own working tree: $status" >&2; exit 1; }
echo "$done commits pushed one by one, $checked compared on the other device: equal ($SECONDS s)"
