#!/bin/sh
# Usage: test_production.sh BINARY... -- WEAKENED...: the former lack the mark of the weakened core, the latter have it.
set -eu
mark='mesh core with switches for its defences'
want=0
looked=0
for binary in "$@"; do
	if [ "$binary" = -- ]; then
		want=1
		continue
	fi
	found=0
	if grep -q "$mark" "$binary"; then found=1; fi
	if [ "$found" -ne "$want" ]; then
		echo "$binary: the mark of the weakened core is there: $found, should be: $want"
		exit 1
	fi
	looked=$((looked + 1))
done
[ "$want" -eq 1 ] && [ "$looked" -ge 2 ]
echo "looked at $looked binaries"
