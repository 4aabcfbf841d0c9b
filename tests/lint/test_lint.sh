#!/bin/sh
# Plants one breach of each house rule in a copy of the tree and sees the lint name it.
# Usage: test_lint.sh SOURCE-ROOT
set -eu
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
planted=0

fresh() {
	rm -rf "$work/tree"
	mkdir "$work/tree"
	for room in base os crypto record gossip store node cli; do
		cp -R "$root/$room" "$work/tree/"
	done
}

# breach FILE TEXT WANTED: append TEXT to FILE of a fresh copy; the lint must fail and print WANTED.
breach() {
	fresh
	printf '%b\n' "$2" >>"$work/tree/$1"
	if "$root/scripts/lint" --root "$work/tree" >"$work/out" 2>&1; then
		echo "not noticed in $1: $2"
		exit 1
	fi
	if ! grep -qF "$3" "$work/out"; then
		echo "noticed without saying '$3':"
		cat "$work/out"
		exit 1
	fi
	planted=$((planted + 1))
}

fresh
"$root/scripts/lint" --root "$work/tree" >"$work/out" || {
	cat "$work/out"
	exit 1
}
checked=$(sed -n 's/^lint: \([0-9]*\) files.*/\1/p' "$work/out")
[ "$checked" -gt 20 ] || {
	echo "only $checked files checked"
	exit 1
}

breach gossip/gossip.h '#include "store/store.h"' 'gossip/ may not include "store/store.h"'
breach base/err.h '#include "os/file.h"' 'base/ may not include "os/file.h"'
breach cli/planted.c '#include "gossip/gossip.h"' 'cli/ may not include "gossip/gossip.h"'
breach gossip/planted.c '#include <sodium.h>' '<sodium.h> belongs in crypto only'
breach cli/planted.c '#include <sqlite3.h>' '<sqlite3.h> belongs in store only'
breach crypto/planted.c '#include <uv.h>' '<uv.h> belongs in node, os only'
breach store/planted.c '#include <unistd.h>' '<unistd.h>: system calls live in os/'
breach gossip/planted.c 'int f(void)\n{\n\treturn (int)time(0);\n}' 'time(): no clock'
breach record/planted.c 'void f(int x)\n{\n\tassert(x);\n}' 'bare assert'
breach crypto/id.h 'int wrong_name(void);' 'wrong_name(): declared here without a prefix'
breach base/planted.c "void f(void)\n{\n$(awk 'BEGIN {for (i = 0; i < 71; i++) printf "\\t;\\n"}')}" \
	'function of 71 lines'
breach os/planted.c "$(awk 'BEGIN {for (i = 0; i < 501; i++) printf "\\n"}')" 'lines, at most 500'

# Nothing to read is a failure, not a pass.
mkdir "$work/empty"
if "$root/scripts/lint" --root "$work/empty" >"$work/out"; then
	echo "an empty tree passed"
	exit 1
fi

# Writable global data shows in the objects.
mkdir -p "$work/build/gossip"
printf 'int counter = 1;\nstatic const char *const names[] = {"a"};\nconst void *f(void) { return names; }\n' |
	cc -fPIC -x c -c -o "$work/build/gossip/planted.o" -
if "$root/scripts/lint" --root "$root" --build "$work/build" >"$work/out"; then
	echo "global mutable data passed"
	exit 1
fi
grep -q 'global mutable data: counter' "$work/out"
if grep -q 'names' "$work/out"; then
	echo "a constant table was called mutable"
	exit 1
fi
echo "$planted breaches planted and found, $checked files checked"
