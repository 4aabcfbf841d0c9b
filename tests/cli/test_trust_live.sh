#!/bin/sh
# What the authority signs, carried by real daemons: a revocation reaches the other node, a rotation one that was
# stopped through it, an extension both; copies that would fork the log are refused.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

id_of() {
	"$mesh" cert show --state "$1" -o csv --allow-partial | sed -n '2s/,.*//p'
}

run 0 authority init --dir a --name Trial --no-passphrase --spare spare
run 0 authority issuer tills --dir a --site berlin --days 20
run 0 authority operator jo --dir a --role incidents --no-key-passphrase
run 0 token create --dir a --issuer tills --seed "$seed" --out t1
for n in 1 2 3; do
	enrol $n t1 berlin
	start $n
done
for n in 1 2; do
	until_shows '^3$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n$n -o csv
done

# Grants about to end are said where people look.
until_shows 'WARNING: the grant of issuer "tills" ends in 20 days' status --state n1
run 0 status --state n1 -o json --allow-partial
shows '"grant_issuer": "tills", "grant_days_left": 20'
shows '"grants_ending": 1'
until_run 0 '^Standing  good' cert show --state n1
run 0 authority log --state n1
says 'the grant of issuer "tills" ends on'

# Extend: handed to one node, known to the other, both stop warning.
run 0 authority extend tills --dir a --days 300 --quota 30 --state n1
shows '^Published to the node in "n1"'
until_shows '"grant_days_left": 300' status --state n2 -o json
run 0 status --state n2 --allow-partial
! grep -q 'WARNING: the grant' out || fail "still warns after the extension"

# A lower quota is counted against the hosts there are, and not taken by a slip.
run 1 authority extend tills --dir a --quota 2 --state n1
says '1 of the 3 hosts that the node in "n1" knows.*quarantined.*--force'
run 0 authority extend tills --dir a --quota 3 --state n1 -o json
shows '"hosts": 3, "over_quota": 0'
run 0 authority extend --dir a --quota 2 --state n1 --force
shows '^1 of 3 enrolled hosts are beyond that'
until_shows '"quarantined": 1' status --state n1 -o json
run 0 authority extend tills --dir a --quota 30 --state n1
until_shows '"quarantined": 0' status --state n1 -o json

# A name that the replica knows is enough to revoke; the other node hides the host.
third=$(id_of n3)
run 1 authority revoke host node-9 --dir a --reason lost --state n1
says 'no host "node-9"'
run 0 authority revoke host node-3 --dir a --reason 'stolen from a car' --state n1 -o json
"$json_tool" <out || fail "revoke is no JSON"
shows "\"id\": \"$third\", .*\"published\": true"
until_shows '^Coverage: 2 hosts' hosts --state n2
! grep -q node-3 out || fail "a revoked host is listed"
run 1 authority revoke host "$third" --dir a --reason again --state n1
says 'revoked already'
run 1 authority revoke host node-3 --dir a --reason again --state n1
says '"node-3" is revoked already'
until_run 0 '^node-3 is revoked$' show node-3 --revoked --state n1
until_run 3 '^Standing  revoked' cert show n3/certificate --state n2
until_run 0 'stolen from a car' authority log --state n2
# Nobody talks to it any more: it asks why, and says so wherever it is asked, with what to do.
until_shows '^WARNING: this host, or who enrolled it, is REVOKED: .*enrol the machine anew' status --state n3
until_shows '^Issues    host-revoked' status --state n3
until_run 3 '^PARTIAL: this host, or who enrolled it, is REVOKED: .*mesh enroll' hosts --state n3
until_run 3 '^PARTIAL: this host, or who enrolled it, is REVOKED' issues --state n3
until_run 3 '"self_standing": "revoked"' hosts --state n3 -o json
shows '"complete": false'
until_run any '"standing": "revoked"' status --state n3 -o json
[ "$(grep -c 'the authority has revoked this host' n3.log)" -eq 1 ] || fail "meshd does not log its revocation once"
stop 3
run 3 status --state n3
shows '^PARTIAL: this host, or who enrolled it, is REVOKED'
! grep -q REVOKED n1.log || fail "node 1 takes itself for revoked"

# Publishing again is no news, and says so.
run 0 authority publish --dir a --state n1 -o json
shows '"news": 0'

# A copy that has fallen behind is refused before it signs: by the spare, and by the node.
cp -r a behind
run 0 authority issuer second --dir a --site berlin --state n1
run 1 authority issuer fork --dir behind --site berlin
says "mesh authority log --dir behind --take $work/spare"
[ ! -e behind/issuers/fork.key ] || fail "a refused change left a key"
rm behind/spare
run 1 authority issuer fork --dir behind --site berlin --state n1
says 'would fork the log'
run 1 authority publish --dir behind --state n1
says 'knows entries of the authority'
run 0 authority log --dir behind --take a
run 0 authority publish --dir behind --state n2

# Rotate while node 2 is stopped; under the new key a new issuer enrols a host that node 2 accepts.
stop 2
[ -e a/successor.key ] && [ ! -e spare/successor.key ] || fail "the successor's key is where it should not be"
run 0 authority rotate --dir a --no-passphrase --state n1
run 0 authority issuer third --dir a --site berlin --state n1
[ -s "spare/old/$(ls a/old)" ] || fail "the spare lacks the old key"
run 0 token create --dir a --issuer third --seed "$seed" --out t2
start 2
enrol 4 t2 berlin
start 4
until_shows 'node-4,' hosts --state n2 -o csv --where "name = 'node-4' AND status = 'up'"
until_run 0 ' rotate ' authority log --state n2

# The issuer of nodes 1 to 3 is revoked with a list: 1 and 2 stay, here and at the other node; the list travels, too.
# Node 5 was enrolled by the thief of the token.
enrol 5 t1 berlin
start 5
until_shows "node-5,.*,up," hosts --state n2 -o csv
{ id_of n1; id_of n2; } >keep
run 0 authority revoke issuer tills --dir a --reason 'token leaked' --keep keep --state n1
until_shows 'issuer-revoked' issues --state n2
until_shows '^node-1/node-2/node-4$' sql --state n2 -o csv \
	"SELECT group_concat(name, '/') FROM (SELECT name FROM hosts WHERE status = 'up' ORDER BY name)"
run 0 authority publish --dir a --state n1 -o json
shows '"blobs": 1, "news": 0'
run 0 authority log --dir a --out carry
run 0 authority publish --log carry --state n2
shows '0 were news to it'
until_run 0 '^Standing  good, says the replica' cert show --state n1
until_run 0 ' issuer tills, quota 30$' issues --state n1
until_run 3 '^Standing  revoked' cert show n5/certificate --state n1
# The hosts that are not on the list learn that it may be so, also one that enrols with the old token now.
enrol 6 t1 berlin
start 6
for late in 5 6; do
	until_shows '^Trust: who enrolled this host is REVOKED, and which .*enrol the machine anew' status --state n$late
	until_shows '^Trust: who enrolled this host is REVOKED' hosts --state n$late
done
run 0 status --state n1 --allow-partial
! grep -q REVOKED out || fail "a host that stays warns"

# The control verb itself: what is none is refused, each in its own words, and the daemon goes on.
run 0 authority init --dir foreign --name Foreign --no-passphrase
python3 - n1/meshd.sock foreign/authority.log a/authority.log <<'PY'
import socket, struct, sys

def items(path):
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        n = int.from_bytes(data[at:at + 2], "big")
        yield data[at + 2:at + 2 + n]
        at += 2 + n

def text(s):
    return b"\xda" + struct.pack(">H", len(s)) + s if len(s) > 255 else \
        b"\xd9" + bytes([len(s)]) + s if len(s) > 31 else bytes([0xa0 | len(s)]) + s

def ask(*arguments):
    request = b"\x82\x01" + text(b"log") + b"\x02" + bytes([0x90 | len(arguments)]) + \
        b"".join(text(a) for a in arguments)
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(struct.pack(">I", len(request)) + request)
    size = struct.unpack(">I", s.recv(4, socket.MSG_WAITALL))[0]
    reply = s.recv(size, socket.MSG_WAITALL)
    s.close()
    return reply[3:3 + (reply[2] & 31)].decode()

def expect(want, *arguments):
    got = ask(*arguments)
    if got != want:
        sys.exit(f"log {arguments}: {got}, not {want}")

ours = list(items(sys.argv[3]))
expect("format")
expect("format", b"")
expect("format", b"970")
expect("format", b"zz" * 20)
expect("format", b"97" * 1025)  # longer than any argument
expect("format", b"00", b"00")
expect("exists", ours[2].hex().encode())
expect("not-found", b"0106" + b"11" * 16)
for entry in items(sys.argv[2]):
    if ask(entry.hex().encode()) not in ("stale", "estate", "signature", "format"):
        sys.exit("an entry of another estate was taken")
for at in (60, len(ours[3]) - 1):
    changed = bytearray(ours[-1])
    changed[at % len(changed)] ^= 1
    if ask(bytes(changed).hex().encode()) not in ("signature", "format"):
        sys.exit("a changed entry was taken")
PY
run 0 status --state n1 --allow-partial
grep -q 'authority log was handed an entry over the control socket' n1.log || fail "meshd does not log it"
done_with 50
