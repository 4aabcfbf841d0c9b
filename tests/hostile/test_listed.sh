#!/bin/sh
# Usage: test_listed.sh MESH-HOSTILE README NAME...: the attacks are exactly those that are run as tests, and the table of
# the README is the one that the program prints. With UPDATE=1 in the environment it writes the table anew.
set -eu
binary=$1
readme=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$binary" --list >"$work/table"
sed -n 's/^| `\([a-z_]*\)` .*/\1/p' "$work/table" | sort >"$work/listed"
printf '%s\n' "$@" | sort >"$work/tested"
[ -s "$work/listed" ]
diff "$work/listed" "$work/tested"
if [ -n "${UPDATE-}" ]; then
	sed '/^| scenario /,$d' "$readme" >"$work/readme"
	cat "$work/table" >>"$work/readme"
	cp "$work/readme" "$readme"
fi
sed -n '/^| scenario /,$p' "$readme" | diff "$work/table" -
echo "$(wc -l <"$work/listed") attacks, all of them tests and in the table"
