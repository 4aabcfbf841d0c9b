#!/bin/sh
# The verbs that ask a running meshd, with two real daemons of two sites on loopback addresses.
set -eu
. "$(dirname -- "$0")/lib.sh"
meshd=$tool

# Addresses of this run's own, so that two runs do not meet.
net=127.$((20 + $$ % 200)).$(($$ / 200 % 250))
pids=
trap 'for p in $pids; do kill "$p" 2>/dev/null || :; done; wait; rm -rf "$work"' EXIT

"$mesh" authority init --dir a --name Trial --no-passphrase >out
"$mesh" authority issuer i --dir a >out
"$mesh" token create --dir a --issuer i --seed "$net.1:7946" --out t >out
for n in 1 2; do
	site=berlin
	drills=yes
	[ $n = 1 ] || { site=leeds; drills=no; }
	"$mesh" enroll --token t --keep-token --shared-machine --state "n$n" --site $site >out
	cat >"n$n.conf" <<CONF
[node]
listen = $net.$n:7946
state = $work/n$n
hostname = node-$n
[drill]
enabled = $drills
CONF
	"$meshd" --config "n$n.conf" >"n$n.log" 2>&1 &
	pids="$pids $!"
done

until_shows 'node-2,leeds.*,up,1,' peers --state n1 -o csv
until_shows '^Coverage: 2 hosts (2 up), 2 sites' hosts --state n2
run 0 status --state n1
shows '^meshd     running'
shows '^Site      berlin, witness'
run 0 status --state n1 -o json
"$json_tool" <out || fail "status is no JSON"
shows '"running": true'
shows '"site": "berlin"'
shows "\"listen\": \"$net.1:7946\""
run 0 status --state n1 -o jsonl
"$json_tool" --lines <out || fail "status is no jsonl"
run 0 status --state n1 -o csv
run 0 peers --state n2 -o json
"$json_tool" <out || fail "peers is no JSON"
shows '"name": "node-1", "site": "berlin"'
run 0 peers --state n2
run 0 show node-1 --state n2 -o json
"$json_tool" <out || fail "show is no JSON"

# Drills: only where they are allowed, and they end.
run 1 drill cut berlin --state n2
says 'drill'
run 1 drill cut nowhere --state n1
says 'no site "nowhere" is known'
run 0 drill cut leeds --state n1
run 0 status --state n1
shows '^DRILL: cut off from leeds'
run 0 drill heal leeds --state n1
run 0 status --state n1
! grep -q DRILL out || fail "the drill did not end"

# A daemon that stopped: told, with what its replica knows.
kill "${pids##* }"
wait "${pids##* }" || fail "meshd did not stop cleanly"
run 3 status --state n2
shows '^meshd     stopped; start it: meshd --state n2'
shows '^Site      leeds'
run 1 peers --state n2
says 'meshd is not running'
until_shows 'node-2,.*leeds,stopped,' hosts --state n1 -o csv
done_with 14
