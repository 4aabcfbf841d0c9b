# For tests with real daemons, sourced after lib.sh: nodes n1, n2, ... in folders of these names, logs in n1.log, ...
# shellcheck shell=sh
meshd=$tool

# An address and a port of this run's own, so that two runs do not meet, nor a meshd of this machine.
net=127.$((20 + $$ % 200)).$(($$ / 200 % 250))
port=$((20000 + $$ % 10000))
while grep -q "^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$port") " /proc/net/udp; do
	port=$((port + 1))
done
seed=$net.1:$port
trap 'for n in 1 2 3 4 5 6; do stop $n; done; rm -rf "$work"' EXIT

stop() {
	[ -f "n$1.pid" ] || return 0
	kill "$(cat "n$1.pid")" 2>/dev/null || :
	stopped=0
	wait "$(cat "n$1.pid")" 2>/dev/null || stopped=$?
	rm -f "n$1.pid"
}

start() {
	"$meshd" --config "n$1.conf" >>"n$1.log" 2>&1 &
	echo $! >"n$1.pid"
}

# enrol N TOKEN SITE: a state folder and a configuration. All nodes share this machine, and none replaces another.
enrol() {
	n=$1
	run 0 enroll --token "$2" --keep-token --shared-machine --state "n$n" --site "$3"
	cat >"n$n.conf" <<CONF
[node]
listen = $net.$n:$port
state = $work/n$n
hostname = node-$n
CONF
}
