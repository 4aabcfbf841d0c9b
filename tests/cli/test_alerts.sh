#!/bin/sh
# mesh alerts over synthetic estates, as of one moment after another: it names what spreads while it spreads, and a
# program is told of it once. In quiet times it names nothing. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

# made NAME AT FLAG...: the same small estate at that time of the day.
made() {
	name=$1 at=$2
	shift 2
	"$estate" --hosts 1200 --sites 24 --seed 3 --at "2026-11-20T${at}Z" --out "$name" "$@" >/dev/null
	MESH_STATE=$work/$name
	export MESH_STATE
}

spreading() {
	made "$1" "$2" --outage driver --delay 5s --repaired 0 --confounder model,power \
		--window 2026-11-20T09:00Z..2026-11-20T10:18Z
}

quiet() {
	run 0 alerts --allow-partial
	shows '^No alert: '
	run 0 alerts --allow-partial -o json
	"$json_tool" <out || fail "no valid JSON"
	shows '^{"rows": \[\],$'
	shows '^"summary": {"alerts": 0, '
	shows '^"coverage": {'
}

made before 08:59
quiet
spreading amid 09:25
cause=$(sed -n 's/^"cause": {.*"name": "\([^"]*\)", "version": "\([^"]*\)".*/\1@\2/p' amid/truth.json)
run 0 alerts --allow-partial
shows "^ALARM  *$cause .* [0-9]* [a-z]* to [0-9]* [a-z]*$"
shows "^$cause: hosts that have it go down "
shows 'At this rate half of these have it in '
shows '^Coverage: '
[ "$(grep -c -e '^ALARM' -e '^WARNING' out)" -eq 1 ] || fail "more than the cause is named"
if command -v script >/dev/null; then
	COLUMNS=80 script -qec "$mesh alerts --allow-partial" /dev/null >typescript </dev/null
	tr -d '\r' <typescript >out
	shows '^ALARM '
	[ "$(sed '/^Coverage: /,$d' out | wc -L)" -le 80 ] || fail "wider than a terminal"
	run 0 alerts --allow-partial
fi
run 0 alerts --allow-partial -o wide
shows '  RISK IN MODEL$'
run 0 alerts --allow-partial -o csv
[ "$(head -n 1 out | tr ',' '\n' | wc -l)" -eq 29 ] || fail "csv has not its 29 columns"
run 0 alerts --allow-partial -o jsonl
"$json_tool" --lines <out || fail "no valid JSON lines"
shows '^{"summary": {"alerts": 1, '
run 0 alerts --allow-partial -o json
"$json_tool" <out || fail "no valid JSON"
shows "^{\"level\": \"alarm\", \"kind\": \"version\", .*\"name\": \"${cause%@*}\", \"version\": \"${cause#*@}\""
# What it says of the spread is what the tables say, and the others are still to come.
value() {
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" out | head -n 1
}
failed=$(value failed_with) adopted=$(value adopted) others=$(value others_up)
[ "$(value lead_low_s)" -gt 0 ] && [ "$(value lead_low_s)" -lt "$(value lead_high_s)" ] || fail "no lead time"
[ "$(value last_down_ms)" -ge "$(value first_down_ms)" ] || fail "the last went down before the first"
sql() {
	"$mesh" sql "$1" --param "${cause%@*}" --param "${cause#*@}" --allow-partial -o csv 2>/dev/null | tail -n 1
}
[ "$failed" -eq "$(sql "SELECT count(*) FROM host_components WHERE component = ?1 AND version = ?2 AND status = 'dark'")" ] ||
	fail "failed_with is $failed"
[ "$adopted" -eq "$(sql "SELECT count(DISTINCT c.host) FROM changes c JOIN hosts h ON h.host = c.host WHERE component = ?1
	AND version = ?2 AND op = 'added' AND h.status IN ('up', 'dark')")" ] || fail "adopted is $adopted"
[ "$others" -eq "$(sql "SELECT count(*) FROM host_components WHERE component = ?1 AND version <> ?2 AND status = 'up' AND
	host IN (SELECT host FROM hosts WHERE module_support = 'supported')")" ] || fail "others_up is $others"
# Among hosts that lack it there is nothing; as of an hour before there was nothing.
run 0 alerts --allow-partial --where "host NOT IN (SELECT host FROM host_components WHERE component = '${cause%@*}')"
shows '^No alert: '
run 0 alerts --allow-partial --until '2026-11-20 08:30Z'
shows '^No alert: '
run 3 alerts
shows '^PARTIAL: the replica is '

# A program is told once by each process: JSON on its standard input, no shell, no arguments; its words are escaped.
cat >hook <<'END'
#!/bin/sh
[ $# -eq 0 ] || exit 9
cat >>"$TOLD"
printf 'took \033[31mit\n'
echo and more >&2
END
chmod +x hook
TOLD=$work/told
export TOLD
: >told
run 0 alerts --allow-partial --exec "$work/hook" --every 10s --rounds 2 -o jsonl
[ "$(wc -l <told)" -eq 1 ] || fail "two rounds told of it $(wc -l <told) times"
"$json_tool" <told || fail "the program was told no valid JSON"
grep -q "^{\"alert\": {\"level\": \"alarm\".*\"version\": \"${cause#*@}\".*}, \"until_ms\": [0-9]*, \"coverage\": {" told ||
	fail "the program was not told of the cause"
[ "$(grep -c '^{"summary"' out)" -eq 2 ] || fail "not two rounds"
says "hook: took .x1b\[31mit$"
says 'hook: and more$'
run 0 alerts --allow-partial --exec "$work/hook"
[ "$(wc -l <told)" -eq 2 ] || fail "another process did not tell of it again"
# failing CODE: the answer is shown, the program's failure is told.
failing() {
	code=0
	"$mesh" alerts --allow-partial --exec "$work/bad" "$@" >out 2>err </dev/null || code=$?
	checks=$((checks + 1))
	[ "$code" -eq 1 ] || fail "a program that fails: exit code $code"
	shows '^ALARM '
}
printf '#!/bin/sh\nexit 7\n' >bad
chmod +x bad
failing
says 'exited with 7'
printf '#!/bin/sh\nsleep 600 & echo started; wait\n' >bad
before=$(date +%s)
failing --exec-timeout 1
says 'was ended after 1 s'
says 'bad: started'
[ $(($(date +%s) - before)) -lt 60 ] || fail "a program that hangs was waited for"
printf '#!/bin/sh\nkill -9 $$\n' >bad
failing
says 'ended by signal 9'
printf '#!/bin/sh\nyes | head -n 100000\n' >bad
code=0
"$mesh" alerts --allow-partial --exec "$work/bad" >out 2>err </dev/null || code=$?
[ "$code" -eq 0 ] || fail "a program that talks: exit code $code"
says 'more of its output is left out'
rm bad
failing
says 'cannot run'
run 2 alerts --exec hook
says 'whole path'
run 2 alerts --rounds 2
run 2 alerts --every soon
run 2 alerts --exec-timeout 0
run 2 alerts --every 10s --until 09:00

# Before it knows the version it may know the component: no delay, next to nobody could tell.
made content 10:00 --outage content --delay 0s --repaired 0 --window 2026-11-20T09:00Z..2026-11-20T10:18Z
run 0 alerts --allow-partial
shows '^ALARM  *C-00000291\.sys '
# Power and patches are no alarm.
made power 10:00 --outage power --window 2026-11-20T09:00Z..2026-11-20T10:18Z
quiet
made patchday 10:00 --outage patchday --window 2026-11-20T09:00Z..2026-11-20T10:18Z
quiet
run 1 alerts --where nonsense
says 'nonsense'
done_with 27
