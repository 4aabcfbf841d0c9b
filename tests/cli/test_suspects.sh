#!/bin/sh
# mesh suspects over synthetic estates whose truth is known: the cause is named where it can be, a power cut is one, what
# cannot be told apart is said so, and in quiet times nothing is blamed. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

# made NAME FLAG...: a small estate, the same each time.
made() {
	name=$1
	shift
	"$estate" --hosts 1200 --sites 24 --seed 3 --at 2026-11-20T12:00Z --out "$name" "$@" >/dev/null
	MESH_STATE=$work/$name
	export MESH_STATE
}

# suspects ARGUMENT...: as of then.
suspects() {
	run 0 suspects --since '2026-11-20 08:50Z' --until '2026-11-20 12:00Z' --allow-partial "$@"
}

# field KEY LINE: of the line's JSON.
line() {
	grep "^ *{\"line\": $1," out
}

made driver --outage driver --delay 5s --confounder model,power
cause=$(sed -n 's/^"cause": {.*"name": "\([^"]*\)", "version": "\([^"]*\)".*/\1@\2/p' driver/truth.json)
suspects
shows "^1  *$cause .* STRONG$"
shows "^ *${cause%@*}, any version .* some died unreported$"
shows '^[2-9]  *site .* SEPARATE: all at once$'
shows '^SEPARATE: power or link. 1 site '
shows '^Association, not proof\.'
shows '^Coverage: '
[ "$(sed '/^Coverage: /,$d' out | awk 'length > 80' | wc -l)" -eq 0 ] || fail "wider than a terminal"
suspects -o wide
shows "^1  *$cause .* STRONG  *[0-9.e+]* ([0-9.e+]* to [0-9.e+]*)  *[0-9.]*e-[0-9]*  *[0-9.]*e-[0-9]*$"
suspects -o json
"$json_tool" <out || fail "no valid JSON"
line 1 >one
grep -q '"verdict": "strong", "kind": "version"' one || fail "line 1 is no version to blame"
grep -q "\"name\": \"${cause%@*}\", \"version\": \"${cause#*@}\"" one || fail "line 1 is not the cause"
shows '^"summary": {"outcome": "named", "since_ms": 1795164600000, "until_ms": 1795176000000, "failed": [1-9]'
shows '^"coverage": {'
suspects -o jsonl
"$json_tool" --lines <out || fail "no valid JSON lines"
tail -n 2 out | grep -q '^{"summary": {"outcome": "named"' || fail "jsonl has no summary"
suspects -o csv
[ "$(head -n 1 out | tr ',' '\n' | wc -l)" -eq 23 ] || fail "csv has not its 23 columns"
# Among hosts without the component nothing is to blame but what is separate.
suspects --where "host NOT IN (SELECT host FROM host_components WHERE component = '${cause%@*}')"
! grep -q -e STRONG -e LIKELY out || fail "blames hosts that lack the cause"
# Before it began there was nothing.
run 0 suspects --since '2026-11-19 12:00Z' --until '2026-11-20 08:50Z' --allow-partial -o json
! grep -q -e '"strong"' -e '"likely"' out || fail "blames before it began"

made content --outage content --delay 0s
suspects
shows '^1  *C-00000291\.sys .* STRONG$'
shows 'most died before they could report a change'
suspects -o json
line 1 | grep -q '"component_kind": "content-file", "name": "C:\\\\Windows.*C-00000291.sys", "version": null' ||
	fail "the content file is not named by its path"

made together --outage driver --delay minutes --confounder together
suspects
shows '^1  .* STRONG, not sure which$'
shows '_helper.* CANNOT TELL from 1$'
shows 'Nothing in the data tells it from'

made power --outage power
suspects
shows '^1  *site .* SEPARATE: all at once$'
shows 'SEPARATE: power or link'
! grep -q -e STRONG -e LIKELY out || fail "blames something for a power cut"

# Small sites that fell silent in the middle of a wave: what mesh states calls power or link, no component did.
"$estate" --hosts 1200 --sites 300 --seed 2 --at 2026-11-20T12:00Z --out wave --outage driver --delay 5s --share 0.9 \
	--window 11:30..11:36 --confounder power >/dev/null
MESH_STATE=$work/wave
run 0 suspects --since '2026-11-20 11:20Z' --until '2026-11-20 12:00Z' --allow-partial -o json
cp out wave.json
run 0 sql "SELECT count(*) FROM hosts WHERE fate = 'power-or-link' AND status_since_ms >= 1795173600000 AND host NOT IN
	(SELECT host FROM crashes WHERE time_ms >= 1795173600000)" -o csv --allow-partial
cut_off=$(tail -n 1 out)
[ "$cut_off" -ge 8 ] || fail "too few hosts lost power or link for a test: $cut_off"
grep -q "^\"summary\": .*\"outcome\": \"named\", .*\"separate_hosts\": $cut_off, " wave.json ||
	fail "not all $cut_off hosts that lost power or link are set apart: $(grep summary wave.json)"

made patchday --outage patchday
suspects
! grep -q -e STRONG -e LIKELY out || fail "blames the patches of a quiet morning"

made quiet
run 0 suspects --until '2026-11-20 12:00Z' --since '2026-10-20 12:00Z' --allow-partial
! grep -q -e STRONG -e LIKELY out || fail "blames something in quiet times"
shows '^CANNOT TELL: '

run 2 suspects --since yesterday
says 'yesterday'
run 2 suspects --since '2026-11-20 12:00Z' --until '2026-11-20 08:00Z'
says 'not after --since'
run 1 suspects --where 'nonsense'
says 'nonsense'
run 3 suspects --since '2026-11-20 08:50Z'
done_with 18
