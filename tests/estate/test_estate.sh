#!/bin/sh
# mesh-estate: what mesh says of an estate is what its truth says, quiet and in outages; flags that make no sense are
# refused by name; a daemon takes over what was written, whole. Usage: test_estate.sh MESH MESH-ESTATE CHECK_TRUTH MESHD
set -eu
mesh=$(realpath "$1")
estate=$(realpath "$2")
check=$(realpath "$3")
meshd=$(realpath "$4")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# made NAME ARGUMENT...: an estate that agrees with its truth.
made() {
	name=$1
	shift
	"$estate" --out "$name" --at 2024-07-19T09:40Z "$@" >/dev/null
	python3 "$check" "$mesh" "$name"
	rm -rf "$name/replica"
}

made quiet --hosts 1000 --sites 20
made silent --hosts 400 --sites 30 --silent 3
made driver --hosts 600 --sites 20 --outage driver --window 06:09..07:27 --delay 5s --repaired 0.4
made linux --hosts 600 --sites 20 --outage driver --component net_flow_probe --share 0.8
made content --hosts 600 --sites 20 --outage content --delay 0s --confounder power,patchday --repaired 0.5
made minutes --hosts 600 --sites 20 --outage content --delay minutes --confounder model,together
made companion --hosts 600 --sites 20 --outage driver --delay hour --confounder model,together,patchday,power --seed 5
made power --hosts 400 --sites 30 --outage power --share 0.2
made patchday --hosts 400 --sites 20 --outage patchday
made during --hosts 600 --sites 20 --outage driver --window 09:00..10:00 --delay minutes --seed 3

# The same outage an hour later: who was hit stays hit.
"$estate" --hosts 400 --sites 10 --at 2024-07-19T06:40Z --outage content --window 2024-07-19T06:09Z..2024-07-19T07:27Z --out early >/dev/null
"$estate" --hosts 400 --sites 10 --at 2024-07-19T07:40Z --outage content --window 2024-07-19T06:09Z..2024-07-19T07:27Z --out late >/dev/null
for name in early late; do
	sed -n 's/^{"host": "\([0-9a-f]*\)".*"exposure": "hit".*"arrived_ms": \([0-9]*\).*/\1 \2/p' $name/truth.json | sort >$name.hit
done
[ -s early.hit ] || fail "nobody was hit after half of the window"
[ -z "$(comm -23 early.hit late.hit)" ] || fail "hosts that were hit are no more"
[ "$(wc -l <late.hit)" -gt "$(wc -l <early.hit)" ] || fail "nobody was hit in the second half of the window"

# counts FILE: hosts by status, as mesh says.
counts() {
	"$mesh" sql 'SELECT status, count(*) AS n FROM hosts GROUP BY status' -o csv --state live --allow-partial >"$1" 2>err ||
		fail "mesh sql: $(cat err)"
}

# A daemon of the first host verifies what it loads, and would drop, accuse or hide what does not belong.
"$estate" --hosts 400 --sites 20 --seed 4 --outage content --out live >/dev/null
counts before
listen=127.$((20 + $$ % 200)).7.1:$((20000 + $$ % 10000))
"$meshd" --state live --listen "$listen" 2>log &
pid=$!
trap 'kill $pid; rm -rf "$work"' EXIT
deadline=$(($(date +%s) + 120))
until "$mesh" status --state live -o json --allow-partial >status 2>err &&
	grep -q '"running": true.*"hosts": 400, "sites": 20,.*"blobs_wanted": 0,' status; do
	[ "$(date +%s)" -lt "$deadline" ] && kill -0 $pid || fail "meshd did not take the estate over: $(cat err status log)"
	sleep 0.1
done
counts after
kill $pid
wait $pid || fail "meshd failed: $(cat log)"
trap 'rm -rf "$work"' EXIT
cmp -s before after || fail "meshd judges the hosts otherwise: $(diff before after)"
records=$(sed -n 's/.*"records": \([0-9]*\),.*/\1/p' status)
grep -q "replica: $records records" log || fail "of the records in the log not all are kept: $(cat log status)"
[ "$("$mesh" sql 'SELECT count(*) AS n FROM issues' -o csv --state live --allow-partial 2>err | tail -n 1)" = 0 ] ||
	fail "meshd found issues: $(cat err)"

# refused PATTERN ARGUMENT...: exit code 2, and a line that names the value.
refused() {
	pattern=$1
	shift
	code=0
	"$estate" "$@" >out 2>err || code=$?
	[ "$code" -eq 2 ] || fail "mesh-estate $* exited with $code"
	grep -q -e "$pattern" err || fail "mesh-estate $* said: $(cat err)"
	[ ! -s out ] || fail "mesh-estate $*: an error wrote to standard output"
}

refused '"0" is no number from 1' --hosts 0 --out x
refused '"many" is no number' --hosts many --out x
refused '2000' --sites 2000 --out x
refused 'is more than --hosts 5' --hosts 5 --sites 6 --out x
refused '60000 hosts need at least 7 sites\|each site' --hosts 60000 --sites 5 --out x
refused '"3" is no number from 6' --images 3 --out x
refused '"--nonsense"' --nonsense 1 --out x
refused '"--seed"' --out x --seed
refused 'out is missing' --hosts 10
refused '"yesterday" is no time' --at yesterday --out x
refused '"2024-13-01T00:00" is no time' --at 2024-13-01T00:00 --out x
refused '"flood"; it takes none, driver' --outage flood --out x
refused '"1.5" is no share' --outage driver --share 1.5 --out x
refused '"fast"; it takes 0s' --outage driver --delay fast --out x
refused '"moon"; it takes model' --outage driver --confounder power,moon --out x
refused '"06:09" is no window' --outage driver --window 06:09 --out x
refused 'ends before it begins' --outage driver --at 12:00 --window 09:00..08:00 --out x
refused 'begins after --at' --outage driver --at 12:00 --window 13:00..14:00 --out x
refused 'need --outage' --share 0.5 --out x
refused 'needs --outage driver' --outage power --component edr_sensor --out x
refused 'need --outage driver or content' --outage power --confounder model --out x
refused 'trouble needs at least' --trouble --hosts 5 --sites 1 --out x
refused '"no_such"' --outage driver --component no_such --out x
"$estate" --help | grep -q -e '--confounder LIST' || fail "--help does not say what there is"
"$estate" --hosts 20 --sites 2 --out taken >/dev/null
code=0
"$estate" --hosts 20 --sites 2 --out taken >out 2>err || code=$?
[ "$code" -eq 1 ] && grep -q '"taken" has a replica already; name an empty folder' err || fail "a replica was overwritten"
