#!/bin/sh
# Every call of LMDB's that the store makes and that can fail is among those that failing-calls lets fail.
# Usage: test_wrapped.sh LIBRARY NAME...
set -eu
library=$1
shift
void=' mdb_cursor_close mdb_env_close mdb_strerror mdb_txn_abort mdb_txn_id '
used=$(nm -u "$library" | sed -n 's/.* U \(mdb_[a-z_]*\)$/\1/p' | sort -u)
[ "$(printf '%s\n' "$used" | wc -l)" -gt 10 ] || {
	echo "found only these calls in $library: $used"
	exit 1
}
missing=0
for call in $used; do
	case "$void $* " in *" $call "*) continue ;; esac
	echo "$call is not among wrapped_calls (tests/faults/meson.build)"
	missing=1
done
exit $missing
