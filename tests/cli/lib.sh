# For the tests of the real program. Each takes: MESH JSON_TOOL SOURCE_ROOT.
mesh=$(realpath "$1")
json_tool=$(realpath "$2")
root=$(realpath "$3")
# A fourth, where a test takes one: a program.
tool=$(realpath -m -- "${4:-.}")
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
unset MESH_STATE COLUMNS
checks=0

fail() {
	echo "FAILED: $*" >&2
	echo "-- standard output:" >&2
	cat out >&2
	echo "-- standard error:" >&2
	cat err >&2
	exit 1
}

# run CODE ARGUMENT...: mesh must exit with CODE.
run() {
	want=$1
	shift
	code=0
	"$mesh" "$@" >out 2>err </dev/null || code=$?
	checks=$((checks + 1))
	[ "$code" -eq "$want" ] || fail "mesh $* exited with $code, not $want"
	# What fails says so, once, in one form.
	if [ "$want" -eq 1 ] || [ "$want" -eq 2 ]; then
		[ ! -s out ] || fail "mesh $*: an error wrote to standard output"
		[ "$(grep -c '^mesh: ' err)" -eq 1 ] || fail "mesh $*: no single line \"mesh: ...\""
	fi
}

says() {
	grep -q -e "$1" err || fail "standard error does not say: $1"
}

shows() {
	grep -q -e "$1" out || fail "standard output does not show: $1"
}

# until_shows PATTERN ARGUMENT...: what `mesh ARGUMENT...` prints matches in the end; the logs of daemons are n?.log.
until_shows() {
	pattern=$1
	shift
	for _ in $(seq 300); do
		"$mesh" "$@" >out 2>err || :
		! grep -q -e "$pattern" out || return 0
		sleep 0.1
	done
	cat n?.log >&2
	fail "mesh $* never shows: $pattern"
}

done_with() {
	[ "$checks" -ge "$1" ] || fail "only $checks runs of mesh"
	echo "$checks runs of mesh"
}
