# For the tests of the real program. Each takes: MESH JSON_TOOL SOURCE_ROOT.
mesh=$(realpath "$1")
json_tool=$(realpath "$2")
root=$(realpath "$3")
# A fourth, where a test takes one: a program.
tool=$(realpath -m -- "${4:-.}")
# A socket's path is at most 107 bytes long.
tmp=${TMPDIR-}
[ "${#tmp}" -le 40 ] || unset TMPDIR
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
unset MESH_STATE COLUMNS
# Seconds that anything is awaited: far more than a slow, loaded machine needs. Only a test that fails waits so long.
patience=120
checks=0

fail() {
	echo "FAILED: $*" >&2
	echo "-- standard output:" >&2
	cat out >&2
	echo "-- standard error:" >&2
	cat err >&2
	exit 1
}

# run CODE ARGUMENT...: mesh must exit with CODE ("any": whether the answer is complete is not the matter).
run() {
	want=$1
	shift
	code=0
	"$mesh" "$@" >out 2>err </dev/null || code=$?
	checks=$((checks + 1))
	if [ "$want" = any ]; then
		[ "$code" -eq 0 ] || [ "$code" -eq 3 ] || fail "mesh $* exited with $code"
		return 0
	fi
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

# until_run CODE PATTERN ARGUMENT...: in the end `mesh ARGUMENT...` exits with CODE ("any": with whatever) and prints what
# matches. What daemons know and have written becomes true some time after it was caused.
until_run() {
	want=$1
	pattern=$2
	shift 2
	deadline=$(($(date +%s) + patience))
	checks=$((checks + 1))
	while :; do
		code=0
		"$mesh" "$@" >out 2>err </dev/null || code=$?
		if [ "$want" = any ] || [ "$code" -eq "$want" ]; then
			! grep -q -e "$pattern" out || return 0
		fi
		[ "$(date +%s)" -lt "$deadline" ] || break
		sleep 0.1
	done
	cat n?.log >&2 2>/dev/null || :
	fail "mesh $* never exits with $want and shows: $pattern (last exit code: $code)"
}

until_shows() {
	until_run any "$@"
}

done_with() {
	[ "$checks" -ge "$1" ] || fail "only $checks runs of mesh"
	echo "$checks runs of mesh"
}
