#!/bin/sh
# mesh states over synthetic estates whose truth is known: each host that is down is told why, with its evidence; a power
# cut is one, and in quiet times nothing crashed. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

made() {
	name=$1
	shift
	"$estate" --hosts 1200 --sites 24 --seed 3 --at 2026-11-20T12:00Z --out "$name" "$@" >/dev/null
	MESH_STATE=$work/$name
	export MESH_STATE
}

states() {
	run 0 states --allow-partial "$@"
}

# truth CLASS...: ids of the hosts of these classes that the replica knows as down.
truth() {
	for class in "$@"; do
		grep "\"class\": \"$class\", \"status\": \"\(dark\|silent\|unknown\)\"" "$MESH_STATE/truth.json"
	done | sed 's/^{"host": "\([0-9a-f]*\)".*/\1/' | sort >true
}

# fate FATE CLASS...: exactly these hosts have met it.
fate() {
	name=$1
	shift
	truth "$@"
	states --fate "$name" -o jsonl
	"$json_tool" --lines <out || fail "no valid JSON lines"
	sed -n 's/^{"host": "\([0-9a-f]*\)".*/\1/p' out | sort >said
	cmp -s true said || fail "$MESH_STATE: $name: $(diff true said | head -n 3)"
}

made content --outage content --delay 5s --share 0.6 --confounder power
fate crash crash loop
fate power-or-link power link
fate unknown fault never-heard
[ -s said ] || fail "the estate has no fault to tell from a crash"
fate crash crash loop
grep -q 'more hosts vanished minutes after the same change"' out || fail "no evidence by the change"
grep -q 'C-00000291.sys.* changed [0-9]* s before: likely crash' out || fail "the change is not named"
grep -q '"change_before": "[^"]*C-00000291.sys ' out || fail "no change in its column"
states
shows '^FATE  *HOSTS  *SITES  *FIRST'
shows '^crash  *[1-9]'
shows '^up  *[1-9]'
shows '^Coverage: '
[ "$(sed '/^Coverage: /,$d' out | awk 'length > 150' | wc -l)" -eq 0 ] || fail "the summary is too wide"
states -o json
"$json_tool" <out || fail "no valid JSON"
shows '^{"rows": \['
shows '^"coverage": {'
# With a condition that all fulfil, the counts are the same by another way.
states -o csv
cp out whole
states -o csv --where '1'
cmp -s out whole || fail "--where 1 counts otherwise: $(diff out whole | head -n 3)"
states --where "role = 'till'" -o csv
! cmp -s out whole || fail "--where changes nothing"
states --fate crash --limit 3
[ "$(grep -c ': crash, since ' out)" -eq 3 ] || fail "not three hosts"
shows '^These are the first ones'
[ "$(sed '/^Coverage: /,$d' out | awk 'length > 80' | wc -l)" -eq 0 ] || fail "wider than a terminal"
states --fate crash -o wide
shows '^FATE\|^HOST'
run 3 states

made power --outage power
fate power-or-link power link
states --sites -o json
"$json_tool" <out || fail "no valid JSON"
shows '"fate": "power-or-link"'
states --sites
shows 'likely power or link'

# A site is listed where a host of it is meant.
run 0 sites --allow-partial --where "status = 'silent'" -o json
"$json_tool" <out || fail "no valid JSON"
grep -q '"status": "silent"' out || fail "the silent site is not listed"
! grep -q '"status": "reporting"' out || fail "--where lets other sites through"

# Again and again, until nobody reads any more.
timeout 60 "$mesh" states --watch 1 -o jsonl 2>err | awk '/"coverage"/ && ++n == 2 {print n; exit}' >out
shows '^2$'
run 2 states --watch 0
says 'watch'
run 2 export hosts --watch 1

made quiet
fate crash
fate unknown fault never-heard

run 2 states --fate gone
run 2 states --limit 3 --all
run 1 states --site nowhere
says 'no site "nowhere"'
run 1 states --where nonsense
says 'nonsense'
done_with 21
