#!/bin/sh
# mesh doctor with real daemons: well, alone, sent noise, stopped, damaged.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

run 0 authority init --dir a --name Trial --no-passphrase
run 0 authority issuer i --dir a
run 0 token create --dir a --issuer i --seed "$seed" --out t
for n in 1 2; do
	enrol $n t berlin
done

# Enrolled, never started.
run 3 doctor --state n1
shows '^fail     meshd: is not running'
shows '^ *Start it: .*meshd'
shows '^fail     replica: no replica in '

for n in 1 2; do
	start $n
done
until_shows '^ok       peers: talks to 1 of ' doctor --state n1
until_run any '^2$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n1 -o csv
run any doctor --state n1
shows '^ok       meshd: running for '
shows '^ok       certificate: good'
shows '^ok       writing: '
shows '^ok       replica: last commit '
shows '^ok       issues: none of this node'
grep -q '^fail' out && fail "a node that is well fails a check"
run any doctor --state n1 -o json
"$json_tool" <out || fail "doctor is no JSON"
shows '"check": "input: fields", "verdict": "ok"'
run any doctor --state n1 -o jsonl
"$json_tool" --lines <out || fail "doctor is no jsonl"
run any doctor --state n1 -o csv
[ "$(head -n 1 out)" = 'check,verdict,finding,remedy' ] || fail "another header: $(head -n 1 out)"

# Noise is counted by its kind, and is no trouble.
command -v bash >/dev/null || fail "bash is needed to send a datagram"
bash -c "printf x >/dev/udp/$net.1/$port; head -c 200 /dev/zero >/dev/udp/$net.1/$port"
until_shows '^note     input: too short: [1-9][0-9]* datagrams' doctor --state n1

# Who has nobody to talk to: its seed is down.
stop 2
stop 1
enrol 3 t berlin
start 3
until_shows '^warn     peers: no node answers' doctor --state n3
run 3 doctor --state n3
shows '^ *Are the seeds up'
stop 3

# Stopped, the replica tells what it can; cut, it is said.
run 3 doctor --state n1
shows '^fail     meshd: is not running'
shows '^ok       issues: none of this node'
run 3 doctor --state n1 -o json
"$json_tool" <out || fail "doctor without meshd is no JSON"
head -c 5000 n2/replica/data.mdb >cut
cp cut n2/replica/data.mdb
run 3 doctor --state n2
shows '^fail     replica: '

# Begun again, it is set aside, which is said for as long as this meshd runs.
start 2
until_shows '^warn     set aside: ' doctor --state n2
stop 2

run 2 doctor here
echo "$checks runs of mesh were as they should be"
