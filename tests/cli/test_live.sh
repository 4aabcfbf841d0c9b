#!/bin/sh
# The verbs that ask a running meshd, with two real daemons of two sites on loopback addresses.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

run 0 authority init --dir a --name Trial --no-passphrase
run 0 authority issuer i --dir a
run 0 token create --dir a --issuer i --seed "$seed" --out t
enrol 1 t berlin
enrol 2 t leeds
printf '[drill]\nenabled = yes\n' >>n1.conf
start 1
start 2

until_shows 'node-2,leeds.*,up,1,' peers --state n1 -o csv
for n in 1 2; do
	until_run 0 '^2$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n$n -o csv
done
until_run 0 '^Coverage: 2 hosts (2 up), 2 sites' hosts --state n2
until_run 0 '^Site      berlin, witness' status --state n1
shows '^meshd     running'
until_run 0 '"running": true' status --state n1 -o json
"$json_tool" <out || fail "status is no JSON"
shows '"site": "berlin"'
shows "\"listen\": \"$seed\""
until_run 0 . status --state n1 -o jsonl
"$json_tool" --lines <out || fail "status is no jsonl"
until_run 0 . status --state n1 -o csv
until_run 0 '"name": "node-1", "site": "berlin"' peers --state n2 -o json
"$json_tool" <out || fail "peers is no JSON"
run any peers --state n2
until_run 0 . show node-1 --state n2 -o json
"$json_tool" <out || fail "show is no JSON"

# A daemon holds keys: no core dump of it.
grep -q '^Max core file size  *0 ' "/proc/$(cat n1.pid)/limits" || fail "meshd may leave a core dump"

# Drills: only where they are allowed, and they end.
run 1 drill cut berlin --state n2
says 'drill'
run 1 drill cut nowhere --state n1
says 'no site "nowhere" is known'
run 0 drill cut leeds --state n1
run any status --state n1
shows '^DRILL: cut off from leeds'
run 0 drill heal leeds --state n1
run any status --state n1
! grep -q DRILL out || fail "the drill did not end"

# A daemon that stopped: told, with what its replica knows.
stop 2
[ "$stopped" -eq 0 ] || fail "meshd did not stop cleanly"
run 3 status --state n2
shows '^meshd     stopped; start it: meshd --state n2'
shows '^Site      leeds'
run 1 peers --state n2
says 'meshd is not running'
until_shows 'node-2,.*leeds,stopped,' hosts --state n1 -o csv
done_with 14
