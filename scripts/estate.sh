# The demo's estate: two sites, three nodes each, on loopback addresses. Sourced after lib.sh; needs $MESH and $MESHD.
# shellcheck shell=sh

ESTATE_NODES="hamburg-1 hamburg-2 hamburg-3 leeds-1 leeds-2 leeds-3"
# Seconds that anything is awaited: what takes longer on a slow machine is printed, and no failure.
ESTATE_PATIENCE=120
estate=
keep=${keep-}

clock() {
	date +%s.%N
}

# Address of a node: hamburg is 127.77.1.x, leeds 127.77.2.x.
estate_address() {
	case $1 in
	hamburg-*) printf '127.77.1.%s:%s' "${1#hamburg-}" "$ESTATE_PORT" ;;
	leeds-*) printf '127.77.2.%s:%s' "${1#leeds-}" "$ESTATE_PORT" ;;
	esac
}

# One of this run's own, so that two estates can live side by side.
estate_choose_port() {
	[ -z "${ESTATE_PORT-}" ] || return 0
	ESTATE_PORT=$((17946 + $$ % 4000))
	while grep -q "^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$ESTATE_PORT") " /proc/net/udp; do
		ESTATE_PORT=$((ESTATE_PORT + 1))
	done
}

# A folder with an authority, an issuer, a token a host, and six enrolled state folders.
estate_make() {
	estate_choose_port
	below=${TMPDIR:-/tmp}
	[ "${#below}" -le 40 ] || below=/tmp # the path of a socket is at most 107 bytes long
	estate=$(mktemp -d "$below/mesh-demo-XXXXXX")
	trap estate_remove EXIT
	trap 'exit 130' HUP INT TERM
	trap 'exit 141' PIPE # a reader that went away must not leave daemons behind
	"$MESH" authority init --dir "$estate/authority" --name "Demo estate" --no-passphrase >/dev/null
	"$MESH" authority issuer demo --dir "$estate/authority" --site hamburg --site leeds --quota 100 --days 30 \
		>/dev/null
	for node in $ESTATE_NODES; do
		site=${node%-*}
		# One seed a site: everything else is learnt.
		"$MESH" token create --dir "$estate/authority" --issuer demo --site "$site" --days 1 \
			--seed "$(estate_address hamburg-1)" --seed "$(estate_address leeds-1)" \
			--out "$estate/$node.token" >/dev/null
		"$MESH" enroll --token "$estate/$node.token" --state "$estate/$node" --shared-machine >/dev/null
		cat >"$estate/$node/meshd.conf" <<CONF
[node]
listen = $(estate_address "$node")
hostname = $node
role = demo

[drill]
enabled = yes
CONF
	done
}

# estate_until COMMAND...: polls until it succeeds; fails when patience ends.
estate_until() {
	deadline=$(($(date +%s) + ESTATE_PATIENCE))
	until "$@"; do
		[ "$(date +%s)" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# Whether it answers; also true when it has ended, so that nobody waits for it.
estate_answers() {
	! kill -0 "$(cat "$estate/$1/pid")" 2>/dev/null || "$MESH" status --state "$estate/$1" >/dev/null 2>&1
}

# estate_start [NODE...]: all when none is named. Waits until each answers on its control socket.
estate_start() {
	for node in ${*:-$ESTATE_NODES}; do
		"$MESHD" --state "$estate/$node" --config "$estate/$node/meshd.conf" \
			2>>"$estate/$node/meshd.log" &
		echo $! >"$estate/$node/pid"
	done
	for node in ${*:-$ESTATE_NODES}; do
		if ! estate_until estate_answers "$node" || ! kill -0 "$(cat "$estate/$node/pid")" 2>/dev/null; then
			cat "$estate/$node/meshd.log" >&2
			die "meshd of $node did not start"
		fi
	done
}

# End the process of a node with a signal and wait until it is gone.
estate_end() {
	pid=$(cat "$estate/$2/pid")
	kill "-$1" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
	rm -f "$estate/$2/pid"
}

estate_stop() {
	estate_end TERM "$1"
}

estate_kill() {
	estate_end KILL "$1"
}

# estate_ask NODE SQL: the single value.
estate_ask() {
	"$MESH" sql "$2" --state "$estate/$1" -o csv --allow-partial 2>/dev/null | sed -n 2p
}

estate_says() {
	answer=$(estate_ask "$1" "$2")
	[ "$answer" = "$3" ]
}

# estate_await NODE SQL VALUE: poll until the answer is VALUE.
estate_await() {
	estate_until estate_says "$@" || {
		"$MESH" hosts --state "$estate/$1" >&2 || true
		die "$1 does not say $3 within $ESTATE_PATIENCE s, but '$answer': $2"
	}
}

estate_full() {
	full=$(estate_ask "$1" "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'")
	[ ! -t 1 ] || printf '\r%s: %s of 6 hosts complete ' "$1" "${full:-0}"
	[ "${full:-0}" -eq 6 ]
}

# All six replicas full, with progress on a terminal.
estate_await_full() {
	for node in $ESTATE_NODES; do
		estate_until estate_full "$node" ||
			die "$node knows only ${full:-0} of 6 hosts after $ESTATE_PATIENCE s"
	done
	[ ! -t 1 ] || printf '\r\033[K'
}

estate_agreed() {
	answers=$(for node in $ESTATE_NODES; do
		"$MESH" sql "SELECT group_concat(host || status) FROM (SELECT host, status FROM hosts ORDER BY host)" \
			--state "$estate/$node" -o csv --allow-partial 2>/dev/null | sed -n 2p
	done | sort -u | wc -l)
	[ "$answers" -eq 1 ]
}

# Every node's list of hosts and states is the same.
estate_await_agreed() {
	estate_until estate_agreed || die "the nodes do not agree within $ESTATE_PATIENCE s"
}

# Every node's JSON lists six hosts with the kernel that uname names.
estate_check_kernel() {
	for node in $ESTATE_NODES; do
		listed=$("$MESH" hosts --state "$estate/$node" -o json --allow-partial | grep -c "\"kernel\": \"$(uname -r)\"") || true
		[ "$listed" -eq 6 ] || die "$node lists $listed hosts with kernel $(uname -r), not 6"
	done
}

# estate_drill cut|heal: every running node drops, or takes up again, all traffic with the other site.
estate_drill() {
	for node in $ESTATE_NODES; do
		[ -f "$estate/$node/pid" ] || continue
		case $node in
		hamburg-*) other=leeds ;;
		*) other=hamburg ;;
		esac
		"$MESH" drill "$1" "$other" --state "$estate/$node" >/dev/null
	done
}

estate_kept() {
	trap - EXIT
	cat <<TEXT

The estate is still running. Ask any node:
  cd $estate
  '$MESH' hosts --state leeds-1
  '$MESH' sql 'SELECT name, site, kernel FROM hosts' --state hamburg-1
Stop and remove it:
  kill \$(cat $estate/*/pid); rm -r $estate
TEXT
}

# Stop what runs and remove the folder.
estate_clear() {
	[ -n "$estate" ] || return 0
	for node in $ESTATE_NODES; do
		[ ! -f "$estate/$node/pid" ] || estate_stop "$node"
	done
	rm -rf "$estate"
	estate=
}

estate_remove() {
	status=$?
	trap '' HUP INT TERM PIPE
	estate_clear
	exit "$status"
}
