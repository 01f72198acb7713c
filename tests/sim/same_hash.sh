#!/bin/sh
# same_hash.sh SIM: the same seed gives the same hash in another process (memory laid out otherwise) and after other seeds.
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
MALLOC_PERTURB_=1 "$1" 1 100 --hash | sed -n 51,100p >"$here/after_others"
MALLOC_PERTURB_=2 "$1" 51 50 --hash | sed '/^seeds/d' >"$here/alone"
[ "$(wc -l <"$here/alone")" -eq 50 ]
diff "$here/after_others" "$here/alone"
