#!/bin/sh
# The README's two commands as a newcomer runs them: a fresh clone of the last commit, on a PATH that holds only the machine's
# own node, npm, sh, git and coreutils (no Python, no compiler). Arguments are passed to npm test; without any, all of it runs.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

mkdir "$scratch/bin" "$scratch/home"
# Without the project's node_modules/.bin, which npm puts in front.
outer=$(printf %s "$PATH" | tr : '\n' | sed '/node_modules/d' | tr '\n' :)
for command in node npm sh git \
  basename cat chmod cp cut dirname echo env expr head ln ls mkdir mktemp mv pwd readlink rm rmdir sed sleep sort tail test touch tr \
  true uname wc; do
  found=$(PATH=$outer command -v "$command") || continue
  case $found in /*) ln -s "$found" "$scratch/bin/$command" ;; esac
done

# The registry and its certificates are the user's own settings, which a fresh machine has too.
userconfig=$(PATH=$outer npm config get userconfig 2>/dev/null)

git clone --quiet "$root" "$scratch/clone"
cd "$scratch/clone"
newcomer() {
  env -i PATH="$scratch/bin" HOME="$scratch/home" npm_config_userconfig="$userconfig" CI=true "$@"
}
echo "node $(newcomer node --version), npm $(newcomer npm --version 2>/dev/null), and no $(
  for absent in python3 cc gcc make; do [ -e "$scratch/bin/$absent" ] || printf '%s ' "$absent"; done)"
newcomer npm ci --no-audit --no-fund
newcomer npm run demo -- --once
[ ! -e .tapestry ] || { echo "the demo left .tapestry behind" >&2; exit 1; }
newcomer npm ci --no-audit --no-fund
newcomer npm test -- "$@"
