#!/bin/sh
# What an operator says, with real daemons: an inventory is imported at one node and known at the other, whole or not at
# all; who may not say it is told why before anything is asked of him.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

run 0 authority init --dir a --name Trial --no-passphrase
run 0 authority issuer i --dir a
umask 077
echo 'open sesame' >word
run 0 operator init jo.key --passphrase-file word
run 0 operator init al.key --no-passphrase
run 0 operator init eve.key --no-passphrase
run 0 authority operator jo --dir a --role inventory,incidents --public-key jo.key.pub
run 0 authority operator al --dir a --role incidents --public-key al.key.pub
run 0 token create --dir a --issuer i --seed "$seed" --out t
for n in 1 2; do
	enrol $n t berlin
	start $n
done
until_shows '^2$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n1 -o csv

# A file with faults: each is named, nothing is imported, no key is asked for.
cat >bad.csv <<'CSV'
name,asset_ids,site,criticality,needed
node-1,A1,berlin,vital,
node-2,"A2,A3,A4",berlin,high,
node-3,A1,berlin,urgent,many
node-4,,,low,
node-5,A5
"node-6,A6,berlin,low,1
CSV
for options in '--dry-run' '--state n1' '-o json --state n1'; do
	# shellcheck disable=SC2086
	run 1 inventory import bad.csv $options
	says '^mesh: "bad.csv" has 7 faults, and nothing of it was imported:$'
	says '^  line 3, column asset_ids: at most 2 ids of 24 bytes each'
	says '^  line 4, column criticality: "urgent" is none of low, normal, high, vital$'
	says '^  line 4, column needed: "many" is no number'
	says '^  line 5, column site: a row needs a site$'
	says '^  line 6: 2 fields, where the header has 5$'
	says '^  line 7, column name: a quote that is not closed'
done
printf 'name,colour\nx,red\n' >head.csv
run 1 inventory import head.csv --dry-run
says '^  line 1: the header has "colour", which is no column'
says '^  line 1, column site: the header lacks this column$'
printf 'site,name,asset_ids\nberlin,a,S1\nberlin,a,S2\nleeds,a,S1\n' >twice.csv
run 1 inventory import twice.csv --dry-run
says '^  line 3, column name: "a" stands in line 2 already$'
says '^  line 4, column asset_ids: "S1" stands in line 2 already$'
: >empty.csv
run 1 inventory import empty.csv --dry-run
printf 'site;name\nberlin;\033[2Jx\n' >control.csv
run 1 inventory import control.csv --dry-run
says '^  line 2, column name: no UTF-8, or a control character$'
run 1 inventory import nothing.csv --dry-run
run 2 inventory import

# A good one: by semicolons, with a mark in front, quotes, CR LF, and rows about whole sites.
printf '\357\273\277name;site;criticality;address;needed;role\r\nnode-1;berlin;vital;;;till\r\nnode-9;berlin;;;;till\r\n;berlin;;"Am ""Zoo"" 1; 10787 Berlin";1;till\r\n' >good.csv
run 0 inventory import good.csv --dry-run -o json
shows '"imported": false, "machines": 2, "site_rows": 1'
run any inventory show --state n1
shows '^No such row in an inventory'

# Who may not: without a key, a key of somebody else's, without the role, unknown to the log.
run 2 inventory import good.csv --state n1
says 'name your key with --key'
run 1 inventory import good.csv --state n1 --key n1/identity.key
says 'holds the key of a host, not of an operator'
run 1 inventory import good.csv --state n1 --key al.key
says 'operator "al" has not the role "inventory"'
run 1 inventory import good.csv --state n1 --key eve.key
says 'the authority log of this node names no such operator'
run 1 inventory import good.csv --state nowhere --key jo.key --passphrase-file word
says 'meshd is not running in "nowhere"; start it'
echo wrong >wrong
run 1 inventory import good.csv --state n1 --key jo.key --passphrase-file wrong
run any sql "SELECT count(*) FROM inventory" --state n1 -o csv
[ "$(tail -n 1 out)" = 0 ] || fail "a refused import left rows"

# Who may: here at once, at the other node soon.
MESH_KEY=jo.key
export MESH_KEY
run 0 inventory import good.csv --state n1 --passphrase-file word
shows '^Imported 2 machines, and 1 row about whole sites. 0 earlier imports are replaced.$'
for n in 1 2; do
	until_shows '^berlin,node-9,,till,normal,,never enrolled,"Am ""Zoo"" 1; 10787 Berlin"' inventory show --missing --state n$n -o csv
	until_shows '"never_enrolled": 1, "inventory_machines": 2' hosts --state n$n -o json
done
run any inventory show --state n2
shows '^berlin  *node-1  .*till  *vital .* up$'
shows '^berlin  *- .* (site)$'
run any inventory show --state n2 --site berlin -o json
"$json_tool" <out || fail "inventory show is no JSON"
shows '"coverage": {'

# Again, larger than one root's lists, from the other node: it replaces the one before, everywhere.
{
	echo 'name,site,asset_ids'
	i=0
	while [ $i -lt 2000 ]; do
		echo "till-$i,shop-$((i / 10)),SN$i"
		i=$((i + 1))
	done
} >large.csv
run 0 inventory import large.csv --state n2 --passphrase-file word -o json
"$json_tool" <out || fail "inventory import is no JSON"
shows '"imported": true, "machines": 2000, "site_rows": 0, "records": 1, "replaced": 1, "beside": 0'
for n in 1 2; do
	until_shows '^2000,1$' sql "SELECT count(*), count(DISTINCT record) FROM inventory WHERE enrolled = 0" --state n$n -o csv
done
run 0 inventory import good.csv --state n1 --passphrase-file word --replace none --title more
shows '1 earlier one stands beside it'
until_shows '^2003,2$' sql "SELECT count(*), count(DISTINCT record) FROM inventory" --state n2 -o csv

# The control verb itself: what is none is refused, each in its own words, and the daemon goes on.
python3 - n1/meshd.sock n1/certificate <<'PY'
import socket, struct, sys

def text(s):
    return b"\xda" + struct.pack(">H", len(s)) + s if len(s) > 255 else \
        b"\xd9" + bytes([len(s)]) + s if len(s) > 31 else bytes([0xa0 | len(s)]) + s

def expect(want, verb, *arguments):
    request = b"\x82\x01" + text(verb) + b"\x02" + bytes([0x90 | len(arguments)]) + b"".join(text(a) for a in arguments)
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(struct.pack(">I", len(request)) + request)
    size = struct.unpack(">I", s.recv(4, socket.MSG_WAITALL))[0]
    reply = s.recv(size, socket.MSG_WAITALL)
    s.close()
    got = reply[3:3 + (reply[2] & 31)].decode()
    if got != want:
        sys.exit(f"{verb} {arguments}: {got}, not {want}")

expect("format", b"submit")
expect("format", b"submit", b"")
expect("format", b"submit", b"9")
expect("format", b"submit", b"zz" * 20)
expect("format", b"submit", b"00", b"00")
expect("version", b"submit", b"9a" * 1024)
expect("argument", b"submit", open(sys.argv[2], "rb").read().hex().encode())
expect("not-found", b"submit", b"0104" + b"90")
expect("format", b"operator", b"12")
expect("not-found", b"operator", b"12" * 16)
PY

# Once the key is revoked what it said is gone, and it is told so.
run 0 authority revoke operator jo --dir a --reason 'left us' --state n1
run 1 inventory import good.csv --state n1 --passphrase-file word
says 'the authority has revoked this key (operator "jo")'
until_shows '^0$' sql "SELECT count(*) FROM inventory" --state n2 -o csv
done_with 40
