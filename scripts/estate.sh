# An estate on loopback addresses, one meshd a node; unless ESTATE_SITES and ESTATE_NODES say otherwise the demo's: two
# sites, three nodes each. Sourced after lib.sh; needs $MESH and $MESHD.
# shellcheck shell=sh

ESTATE_SITES=${ESTATE_SITES-"hamburg leeds"}
ESTATE_NODES=${ESTATE_NODES-"hamburg-1 hamburg-2 hamburg-3 leeds-1 leeds-2 leeds-3"} # SITE-NUMBER
# Seconds that anything is awaited: what takes longer on a slow machine is printed, and no failure.
ESTATE_PATIENCE=120
estate=
keep=${keep-}

clock() {
	date +%s.%N
}

# Address of a node: the first site is 127.77.1.x, the second 127.77.2.x, ...
estate_address() {
	subnet=0
	for at in $ESTATE_SITES; do
		subnet=$((subnet + 1))
		[ "$at" != "${1%-*}" ] || printf '127.77.%s.%s:%s' "$subnet" "${1##*-}" "$ESTATE_PORT"
	done
}

# More lines of a node's section [node]; another estate redefines it, and estate_authority, which runs before the tokens.
estate_conf() {
	echo 'role = demo'
}

estate_authority() {
	:
}

# One of this run's own, so that two estates can live side by side.
estate_choose_port() {
	[ -z "${ESTATE_PORT-}" ] || return 0
	ESTATE_PORT=$((17946 + $$ % 4000))
	while grep -q "^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$ESTATE_PORT") " /proc/net/udp; do
		ESTATE_PORT=$((ESTATE_PORT + 1))
	done
}

# A folder with an authority, an issuer, a token a host, and an enrolled state folder each.
estate_make() {
	estate_choose_port
	below=${TMPDIR:-/tmp}
	[ "${#below}" -le 40 ] || below=/tmp # the path of a socket is at most 107 bytes long
	estate=$(mktemp -d "$below/mesh-demo-XXXXXX")
	trap estate_remove EXIT
	trap 'exit 130' HUP INT TERM
	trap 'exit 141' PIPE # a reader that went away must not leave daemons behind
	"$MESH" authority init --dir "$estate/authority" --name "Demo estate" --no-passphrase >/dev/null
	seeds= # one a site: everything else is learnt
	sites=
	for site in $ESTATE_SITES; do
		seeds="$seeds --seed $(estate_address "$site-1")"
		sites="$sites --site $site"
	done
	# shellcheck disable=SC2086
	"$MESH" authority issuer demo --dir "$estate/authority" $sites --quota 100 --days 30 >/dev/null
	estate_authority
	for node in $ESTATE_NODES; do
		# shellcheck disable=SC2086
		"$MESH" token create --dir "$estate/authority" --issuer demo --site "${node%-*}" --days 1 $seeds \
			--out "$estate/$node.token" >/dev/null
		"$MESH" enroll --token "$estate/$node.token" --state "$estate/$node" --shared-machine >/dev/null
		cat >"$estate/$node/meshd.conf" <<CONF
[node]
listen = $(estate_address "$node")
hostname = $node
$(estate_conf "$node")

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

estate_size() {
	set -- $ESTATE_NODES
	echo $#
}

estate_full() {
	full=$(estate_ask "$1" "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'")
	[ ! -t 1 ] || printf '\r%s: %s of %s hosts complete ' "$1" "${full:-0}" "$(estate_size)"
	[ "${full:-0}" -eq "$(estate_size)" ]
}

# All replicas full, with progress on a terminal.
estate_await_full() {
	for node in $ESTATE_NODES; do
		estate_until estate_full "$node" ||
			die "$node knows only ${full:-0} of $(estate_size) hosts after $ESTATE_PATIENCE s"
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
	cat "$estate"/*/pid 2>/dev/null | xargs kill 2>/dev/null || true
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
