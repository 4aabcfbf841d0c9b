#!/bin/sh
# mesh history with three real daemons: a host that is killed goes dark when it was killed, also for who reads the log
# later; a node's own ends and starts bound what it says.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

run 0 authority init --dir a --name Trial --no-passphrase
run 0 authority issuer i --dir a
run 0 token create --dir a --issuer i --seed "$seed" --out t
for n in 1 2 3; do
	enrol $n t berlin
	start $n
done
for n in 1 2 3; do
	until_run any '^3$' sql "SELECT count(*) FROM hosts WHERE status = 'up'" --state n$n -o csv
done

# A clean end is one; what the node learned since its next start stands behind it.
stop 2
until_shows '^node-2,up,stopped$' sql "SELECT host_name, from_status, to_status FROM transitions WHERE host_name = 'node-2'
	ORDER BY seq DESC LIMIT 1" --state n1 -o csv
run any sql "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM transitions WHERE kind NOT IN ('host', 'site') ORDER BY seq)" --state n2 -o csv
[ "$(tail -n 1 out)" = 'start stop' ] || fail "the log of a node that stopped has: $(cat out)"
start 2
until_shows '^start stop start$' sql "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM transitions
	WHERE kind NOT IN ('host', 'site') ORDER BY seq)" --state n2 -o csv
until_run any '^3$' sql "SELECT count(*) FROM hosts WHERE status = 'up'" --state n1 -o csv

# A node that heard nobody for a while did not watch, once it hears again; nor did those that stood still.
kill -STOP "$(cat n2.pid)" "$(cat n3.pid)"
for peer in 2 3; do
	until_shows ",node-$peer,.*,\(2[2-9]\|[3-9][0-9]\|[0-9]\{3\}\)[0-9]\{3\}\$" peers --state n1 -o csv # ms unheard
done
kill -CONT "$(cat n2.pid)" "$(cat n3.pid)"
for n in 1 2 3; do
	until_shows '^1$' sql "SELECT count(*) >= 1 FROM transitions WHERE kind = 'pause' AND noted_ms - since_ms > 20000" --state n$n -o csv
	until_run any '^3$' sql "SELECT count(*) FROM hosts WHERE status = 'up'" --state n$n -o csv
done
run any history --state n1 --since 2m --step 10s -o csv
grep -q ',off$' out || fail "what happened while this node was cut off is told as if it were known"

# Killed: dark, by two witnesses (one is left beside the one that answers), since it was missed.
killed=$(date +%s)
kill -9 "$(cat n3.pid)"
until_shows '^node-3,up,dark,' sql "SELECT host_name, from_status, to_status, votes, signers, since_ms / 1000 FROM transitions
	WHERE to_status = 'dark' ORDER BY seq DESC LIMIT 1" --state n1 -o csv
since=$(tail -n 1 out | cut -d, -f6)
[ "$since" -ge "$killed" ] && [ "$since" -le "$(date +%s)" ] || fail "killed at $killed, dark since $since"
[ "$(tail -n 1 out | cut -d, -f4)" -ge 1 ] || fail "nobody said so: $(cat out)"
run any history --state n1 --since 5m --step 10s -o csv
tail -n 1 out | cut -d, -f3,4 | grep -q '^2,1$' || fail "the curve does not end with two up and one dark"
[ "$(awk -F, '{ n += $12 } END { print n }' out)" -le 1 ] || fail "more than one went dark"
awk -F, -v since="$since" 'NR > 1 && $4 == 1 && $2 < since * 1000 { bad = 1 } END { exit bad }' out || fail "dark before it was killed"
awk -F, -v killed="$killed" 'NR > 1 && $2 >= killed * 1000 && $2 < since * 1000 && $3 != 3 { bad = 1 } END { exit bad }' out ||
	fail "gone before it was missed"
run any history --state n1 --since 5m --step 1m
shows '  2  *1  *0  *0  *0 .* ok$'
run 3 history --state n1 --since 1d -o json
"$json_tool" <out || fail "history is no JSON"
shows '"watch": "before"'

# Killed itself, it knows nothing from its last commit to its next start.
kill -9 "$(cat n1.pid)"
wait "$(cat n1.pid)" 2>/dev/null || :
start 1
until_shows '^start start,0$' sql "SELECT group_concat(kind, ' ') FILTER (WHERE kind = 'start'), (SELECT count(*) FROM transitions AS t, transitions AS s
	WHERE s.kind = 'start' AND t.kind = 'host' AND t.noted_ms > s.since_ms AND t.noted_ms < s.noted_ms) AS n
	FROM (SELECT kind FROM transitions WHERE kind NOT IN ('host', 'site') ORDER BY seq)" --state n1 -o csv
run any sql "SELECT count(*) FROM transitions WHERE kind = 'start' AND noted_ms > since_ms" --state n1 -o csv
[ "$(tail -n 1 out)" -ge 1 ] || fail "the second start does not say since when nobody watched"
# States that were loaded are no transitions.
run any sql "SELECT count(*) FROM transitions WHERE host_name = 'node-3' AND to_status = 'dark'" --state n1 -o csv
[ "$(tail -n 1 out)" = 1 ] || fail "a reload was logged as a transition"
done_with 14
