#!/bin/sh
# mesh history over a synthetic estate in an outage: the curve is that of the log, counted another way; steps, bounds,
# sites, formats, refusals. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool
# Half an hour ahead of UTC, so that a step that is not local shows.
TZ=XYZ-05:30
export TZ

"$estate" --hosts 300 --sites 8 --seed 3 --at 2026-07-19T09:40Z --silent 1 \
	--outage content --window 2026-07-19T06:09Z..2026-07-19T07:27Z --delay minutes --repaired 0.3 --out est >/dev/null
MESH_STATE=$work/est
export MESH_STATE

valid() {
	"$json_tool" "$@" <out || fail "no valid JSON"
}

# The replica is old by now: its answers are stale.
run 3 history --since '2026-07-19T05:40Z' --until '2026-07-19T09:40Z' --step 15m -o csv
[ "$(head -n 1 out)" = time,at_ms,up,dark,silent,stopped,asleep,unknown,left,replaced,sites_silent,went_dark,went_silent,came_up,watch ] ||
	fail "another head"
[ "$(wc -l <out)" -eq 18 ] || fail "not 17 rows"
[ "$(grep -c ',ok$' out)" -eq 17 ] || fail "not watched all the time"
shows '^2026-07-19 11:15:00 +05:30,1784439900000,'
says '^Coverage: '
tail -n +2 out >curve

# Each count is what the rows of the table add up to by then: the last one of each host whose time has come, where
# evidence is never from before the change in front of it.
cat >oracle.sql <<'SQL'
WITH events AS (SELECT subject, seq, to_status, max(since_ms) OVER (PARTITION BY subject ORDER BY seq) AS since
  FROM transitions WHERE kind = 'host'),
last AS (SELECT subject, to_status, row_number() OVER (PARTITION BY subject ORDER BY seq DESC) AS n FROM events
  WHERE since <= CAST(?1 AS INTEGER))
SELECT sum(to_status = 'up') AS up, sum(to_status = 'dark') AS dark, sum(to_status = 'silent') AS silent,
  sum(to_status = 'stopped') AS stopped, sum(to_status = 'asleep') AS asleep FROM last WHERE n = 1
SQL
while IFS=, read -r time at up dark silent stopped asleep rest; do
	run 3 sql --file oracle.sql --param "$at" -o csv
	[ "$(tail -n 1 out)" = "$up,$dark,$silent,$stopped,$asleep" ] ||
		fail "at $time: up $up, dark $dark, silent $silent, stopped $stopped, asleep $asleep; the table has $(tail -n 1 out) ($rest)"
done <curve

# What became dark between two rows, and the last row is today's.
awk -F, 'NR > 1 { sum += $12 } END { exit sum > 20 ? 0 : 1 }' curve || fail "nobody went dark in an outage: $(cat curve)"
run 3 sql "SELECT sum(status = 'up') AS up, sum(status = 'dark') AS dark, sum(status = 'silent') AS silent FROM hosts" -o csv
[ "$(tail -n 1 out)" = "$(tail -n 1 curve | cut -d, -f3-5)" ] || fail "the last row is not as the hosts are today: $(tail -n 1 curve)"

# Sites add up to the estate.
run 3 sql 'SELECT site FROM sites ORDER BY site' -o csv
sites=$(tail -n +2 out)
up=0
for site in $sites; do
	run 3 history --site "$site" --since '2026-07-19T07:10Z' --until '2026-07-19T07:30Z' --step 10m -o csv
	up=$((up + $(sed -n 2p out | cut -d, -f3)))
done
run 3 history --since '2026-07-19T07:10Z' --until '2026-07-19T07:30Z' --step 10m -o csv
[ "$(sed -n 2p out | cut -d, -f3)" -eq "$up" ] || fail "sites add up to $up up: $(cat out)"

# Every format; a curve that begins before the log says so, and shows nothing where nothing is known.
run 3 history --since '2026-07-17T12:00Z' --until '2026-07-19T09:40Z' --step 6h -o json
valid
shows '"up": null, "dark": null, .* "watch": "before"'
shows '^"coverage": {'
run 3 history --since '2026-07-17T12:00Z' --until '2026-07-19T09:40Z' --step 6h -o jsonl
valid --lines
run 3 history --since '2026-07-17T12:00Z' --until '2026-07-19T09:40Z' --step 6h
shows '^TIME  *UP  *DARK  *SILENT  *STOPPED  *ASLEEP  *+DARK  *+UP  *WATCH$'
shows '^2026-07-17 18:00 +05:30  *-  *-  *-  *-  *-  *-  *-  before$'
shows '^2026-07-19 06:00 +05:30  *[0-9][0-9]* '
shows '^The log begins 2026-07-18 11:39 +05:30\.$'
shows '^Coverage: '
run 3 history --since '2026-07-17T12:00Z' --until '2026-07-19T09:40Z' -o wide
shows 'SITES SILENT'
[ "$(grep -c 'before$\|ok$' out)" -le 60 ] || fail "more rows than are good by themselves"

# Stale, but whole: what comes after the last commit is not known.
run 0 history --since '2026-07-19T08:40Z' --until '2026-07-19T09:40Z' --allow-partial
run 3 history --since '2026-07-19T09:00Z' --until '2026-07-19T10:00Z' --step 20m -o csv
[ "$(cut -d, -f3,15 out | tail -n 1)" = ,after ] || fail "the time after the last commit is said to be known: $(cat out)"

# The last hour, of a replica that is fresh.
"$estate" --hosts 20 --sites 2 --seed 3 --out quiet >/dev/null
run any history --state quiet
shows 'ok$'

run 2 history --step 5
says '"5" is no step; write 30s, 1m, 2h or 1d'
run 2 history --since 30d --step 1m
says 'makes 4[0-9]* rows, more than 2000; use --step 30m, or'
run 2 history --since '2026-07-19T09:00Z' --until '2026-07-19T08:00Z' -o json
run 2 history --since yesterday
says 'yesterday'
run 1 history --site nowhere
says 'no site "nowhere" is known here'
run 2 history berlin
run 0 history --help
shows 'WATCH says how this node knows'
echo "$checks runs of mesh"
