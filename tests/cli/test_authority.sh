#!/bin/sh
# The authority's folder over its life: passphrases, spare copy, grants, people, rotation, revocation, the log as it
# is carried, tokens. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"

valid() {
	"$json_tool" "$@" <out || fail "no valid JSON"
}

# Passphrases: of the authority, its successors, an issuer, a person. None is ever an argument.
for name in authority successor next issuer person; do
	echo "pass of $name" >$name.pass
	chmod 600 $name.pass
done
A="--dir a --passphrase-file authority.pass"
mkdir safe
run 1 authority init --dir a --name Example --passphrase-file authority.pass --successor safe/key
says "successor"
[ ! -e a ] && [ ! -e safe/key ] || fail "a refused init left something"
touch safe/other
run 1 authority init --dir a --name Example --no-passphrase --successor safe/other
says 'never overwritten'
run 0 authority init --dir a --name Example --passphrase-file authority.pass --spare media/spare --successor safe/key \
	--successor-passphrase-file successor.pass -o json
valid
shows '"successor_file": "safe/key"'
[ "$(stat -c %a safe/key)" = 600 ] && [ ! -e a/successor.key ] || fail "the successor's key is not where it should be"
! cmp -s safe/key a/authority.key || fail "the successor is the authority"
[ -z "$(grep -rl successor media/spare)" ] && [ ! -e media/spare/successor.key ] || fail "the copy has the successor's key"
shows "\"protected\": true, \"spare\": \"current\", \"spare_folder\": \"$work/media/spare\""
grep -q "$work/a" media/spare/spare || fail "the copy does not know where it is from"
cmp -s a/authority.key media/spare/authority.key || fail "the copy lacks the key"
[ "$(stat -c %a media/spare/authority.key media/spare/estate.key media/spare/authority.log | sort -u)" = 600 ] ||
	fail "modes of the copy"
run 2 authority init --dir b --name Other --no-passphrase --spare ./b
says 'cannot be the folder itself'
[ ! -e b ] || fail "a refused spare copy left a folder"
run 1 authority init --dir b --name Other --no-passphrase --spare a
says 'never overwritten'
[ ! -e b ] || fail "a refused init left something"

# shellcheck disable=SC2086 # options
run 0 authority issuer tills $A --site berlin --quota 5 --until 2030-01-01 --grace 7 --key-passphrase-file issuer.pass -o json
valid
shows '"sites": "berlin", "quota": 5, "last_day": "2030-01-01", "grace_days": 7'
shows '"log_entries": 2, "spare": "current"'
cmp -s a/issuers/tills.key media/spare/issuers/tills.key || fail "the copy lacks the issuer's key"
# shellcheck disable=SC2086
run 2 authority issuer x $A --until 2030-02-30
says 'like 2027-12-31'
# shellcheck disable=SC2086
run 2 authority issuer x $A --until 2030-01-01 --days 3
run 1 token create --dir a --issuer tills --out t --passphrase-file authority.pass
says 'does not open'
[ ! -e t ] || fail "a refused token"
run 0 token create --dir a --issuer tills --out t --passphrase-file issuer.pass --estate-passphrase-file authority.pass

# People.
# shellcheck disable=SC2086
run 2 authority operator jo $A --role incidents,nonsense --key-passphrase-file person.pass
says 'no role "nonsense"'
# shellcheck disable=SC2086
run 0 authority operator jo $A --role incidents,policy --role inventory --days 90 --key-passphrase-file person.pass
shows 'incidents, inventory, policy'
[ "$(stat -c %a a/operators/jo.key)" = 600 ] || fail "mode of the person's key"
# Again: the same key with other days, and no passphrase of the person's is asked.
# shellcheck disable=SC2086
run 0 authority operator jo $A --role incidents --days 180
shows '^It is the same key as before'
# shellcheck disable=SC2086
run 0 authority operator jo $A --role incidents --days 180 -o json
valid
shows '"roles": "incidents"'
# shellcheck disable=SC2086
run 0 authority operator kim $A --role policy --public-key d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
[ ! -e a/operators/kim.key ] || fail "a key file for a key that is elsewhere"
# shellcheck disable=SC2086
run 1 authority operator lee $A --role policy --public-key nowhere
cp a/operators/jo.key jo.copy
# shellcheck disable=SC2086
run 0 authority operator joan $A --role policy --public-key jo.copy

# Extend.
run 2 authority extend --dir a
says 'nothing to extend'
# shellcheck disable=SC2086
run 1 authority extend nobody $A --quota 9
says 'no issuer "nobody"'
# shellcheck disable=SC2086
run 0 authority extend tills $A --quota 9
run 0 authority log --dir a -o csv
grep -q '^1,.*,grant,,.*,tills,.*,berlin,9,2030-01-01,' out || fail "the quota did not change alone"
# shellcheck disable=SC2086
run 0 authority extend $A --until 2031-01-01
run 0 authority log --dir a -o jsonl
valid --lines
shows '"type": "grant".*"quota": 9, "last_day": "2031-01-01"'

# Files that others can read are refused, with what to do.
for file in authority.key authority.log; do
	chmod 640 a/$file
	# shellcheck disable=SC2086
	run 1 authority extend $A --days 400
	says 'mode 0640'
	says 'chmod it to 0600'
	chmod 600 a/$file
done
chmod 604 authority.pass
# shellcheck disable=SC2086
run 1 authority extend $A --days 400
says 'mode 0604'
chmod 600 authority.pass
cp a/authority.log log.before
# shellcheck disable=SC2086
run 1 authority extend --dir a --days 400 --passphrase-file issuer.pass
cmp -s a/authority.log log.before || fail "a wrong passphrase changed the log"

# A spare copy out of reach: done, said, exit code 3; an empty mount point gets no keys.
mv media away
mkdir -p media/spare
# shellcheck disable=SC2086
run 3 authority issuer gates $A --site leeds
says "warning: the spare copy in \"$work/media/spare\" is not up to date: there is no authority (is its medium missing?); once"
says "mesh authority log --dir a --spare $work/media/spare"
[ -z "$(ls media/spare)" ] || fail "keys went to an empty mount point"
# shellcheck disable=SC2086
run 1 authority extend gates $A --quota 2 --allow-partial
says 'fewer than the 1000 granted before.*--force'
# shellcheck disable=SC2086
run 0 authority extend gates $A --quota 2 --allow-partial --force
rm -r media
mv away media
# The copy is behind now: to sign with it would fork the log, and is refused.
cp -r media/spare spare.before
run 1 authority extend --dir media/spare --days 10 --passphrase-file authority.pass
says "the copy in \"$work/a\" has 2 entries of the log that \"media/spare\" lacks"
diff -r media/spare spare.before -x lock || fail "a refused change changed the copy"
run 0 authority log --dir a --spare media/spare
shows "^The spare copy in \"$work/media/spare\" is up to date"
cmp -s a/authority.log media/spare/authority.log || fail "the copy is still behind"
# Either may be used: the other is brought along.
run 0 authority extend gates --dir media/spare --quota 3 --passphrase-file authority.pass
cmp -s a/authority.log media/spare/authority.log || fail "the folder is behind its copy"

# Rotation: the successor takes over and names the next; the old key is kept, signs nothing, and goes when told to.
cp a/authority.key old.key
cp safe/key successor.key
run 1 authority rotate --dir a --passphrase-file successor.pass --new-passphrase-file next.pass
says 'name its file with --successor'
run 1 authority rotate --dir a --successor a/authority.key --passphrase-file authority.pass --new-passphrase-file next.pass
says 'is not the key of the successor that the log names'
run 1 authority rotate --dir a --successor safe/key --passphrase-file authority.pass --new-passphrase-file next.pass
says 'does not open'
run 2 authority rotate --dir a --successor safe/key --after x --passphrase-file successor.pass --new-passphrase-file next.pass
run 1 authority rotate --dir a --successor safe/key --after 77 --passphrase-file successor.pass --new-passphrase-file next.pass
says 'no entry of the log is "77"'
cp a/authority.log log.before
cmp -s safe/key successor.key && [ ! -e safe/key.next ] || fail "a refused rotation changed the successor"
R="--dir a --successor safe/key --passphrase-file successor.pass --new-passphrase-file next.pass"
# shellcheck disable=SC2086
run 0 authority rotate $R -o json
valid
shows '"successor_file": "safe/key", "entries_dropped": 0, "revocations_dropped": 0'
cmp -s a/authority.key successor.key || fail "the successor did not take over"
! cmp -s safe/key successor.key || fail "there is no new successor"
[ "$(ls a/old | wc -l)" -eq 1 ] && cmp -s a/old/*.key old.key || fail "the old key is not kept"
diff -r a/old media/spare/old || fail "the spare copy lacks the old key"
[ ! -e a/authority.key.next ] && [ ! -e safe/key.next ] || fail "a rotation left its scaffold"
run 1 authority extend --dir a --days 20 --passphrase-file authority.pass
says 'does not open'
A="--dir a --passphrase-file successor.pass"
# shellcheck disable=SC2086
run 0 authority extend $A --days 20
# A crash after the entry was signed: the next change finishes it, the next rotation its successor's file.
cp a/authority.key new.key
cp a/authority.key a/authority.key.next
cp old.key a/authority.key
rm a/old/*
cp safe/key safe/key.next
cp successor.key safe/key
# shellcheck disable=SC2086
run 0 authority extend $A --days 30
cmp -s a/authority.key new.key && cmp -s a/old/*.key old.key || fail "the rotation was not finished"
run 1 authority rotate --dir a --successor safe/key --passphrase-file successor.pass --new-passphrase-file next.pass
says 'does not open'
[ ! -e safe/key.next ] && ! cmp -s safe/key successor.key || fail "the successor's file was not put in place"
# A key that the log does not know is refused before a passphrase is asked for.
cp old.key a/authority.key
run 1 authority extend --dir a --days 30
says 'is not the key that'
cp new.key a/authority.key
run 0 authority rotate --dir a --remove-old
shows 'Wiped 1 old key'
[ -z "$(ls a/old)$(ls media/spare/old)" ] || fail "old keys are left"

# Revocation. Of an issuer one has to say who stays.
# shellcheck disable=SC2086
run 2 authority revoke issuer gates $A --reason x
says 'keep-none'
# shellcheck disable=SC2086
run 2 authority revoke host 00112233445566778899aabbccddeeff $A --reason x --keep-none
# shellcheck disable=SC2086
run 2 authority revoke host 00112233445566778899aabbccddeeff $A
says 'option --reason is missing'
# shellcheck disable=SC2086
run 0 authority revoke host 00112233445566778899aabbccddeeff $A --reason 'stolen' -o json
valid
# shellcheck disable=SC2086
run 1 authority revoke host till-1 $A --reason stolen --state nowhere
says 'no host id of 32 digits'
# shellcheck disable=SC2086
run 0 authority revoke operator kim $A --reason left
# shellcheck disable=SC2086
run 1 authority operator kim $A --role policy --public-key d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
says 'was revoked, for good'
printf 'host,name\n# kept\nffeeddccbbaa99887766554433221100 gate-1\r\n00112233445566778899aabbccddee01\n00112233445566778899aabbccddee01\n' >keep
echo 'till-1' >bad
# shellcheck disable=SC2086
run 1 authority revoke issuer gates $A --reason leaked --keep bad
says 'line 1 does not begin with a host id'
printf '00112233445566778899aabbccddee01\nhost,name\n' >bad
# shellcheck disable=SC2086
run 1 authority revoke issuer gates $A --reason leaked --keep bad
says 'line 2 does not begin with a host id'
# shellcheck disable=SC2086
run 0 authority revoke issuer gates $A --reason leaked --keep keep -o json
valid
shows '"hosts_kept": 2'
cp out kept.json
# shellcheck disable=SC2086
run 1 authority revoke issuer gates $A --reason leaked --keep keep
says '"gates" is revoked already, and the same hosts stay'
cp kept.json out
list=$(sed -n 's/.*"allow_list": "\([0-9a-f]*\)".*/\1/p' out)
cmp -s "a/allow-lists/$list" "media/spare/allow-lists/$list" || fail "no allow-list in folder and copy"
# Version, type, two ids in ascending order: the bytes that docs/protocol.md section 4 states.
[ "$(od -An -v -tx1 "a/allow-lists/$list" | tr -d ' \n')" = \
	010600112233445566778899aabbccddee01ffeeddccbbaa99887766554433221100 ] || fail "bytes of the allow-list"
# shellcheck disable=SC2086
run 1 authority extend gates $A --days 10
says 'revoked, for good'
run 1 token create --dir a --issuer gates --out t2
says 'revoked'

# Many hosts: leaves below a list.
seq 200 | while read -r i; do printf '%032x\n' "$i"; done >many
# shellcheck disable=SC2086
run 0 authority revoke issuer tills $A --reason leaked --keep many -o json
shows '"hosts_kept": 200'
[ "$(ls a/allow-lists | wc -l)" -eq 6 ] || fail "200 hosts are not four leaves and a list"

# Carried by hand: log and lists in one file, which shows what the folder does.
run 0 authority log --dir a --out carry
shows '^Next, on a node of the branch: mesh authority publish --log carry'
[ "$(stat -c %a carry)" = 600 ] || fail "mode of the carried log"
grep '^ENTRY\|^ ' out >listed
run 0 authority log --log carry
cmp -s out listed || fail "the carried log shows something else"
run 1 authority log --dir a --out carry
says 'carry'
head -c 700 carry >short
run 1 authority log --log short
says 'damaged'
run 1 authority publish --log carry --state nowhere
says 'meshd is not running'
run 2 authority publish
run 2 authority publish --log carry --dir a
mv "a/allow-lists/$list" kept
run 1 authority log --dir a --out carry2
says 'restore it from the spare copy'
mv kept "a/allow-lists/$list"
run 2 authority log --take a
says 'need the authority'

# The key used twice, by two copies apart: both refuse to be one again, and a log with both branches is said to be
# forked aloud.
run 0 authority init --dir f --name Fork --no-passphrase
run 0 authority issuer one --dir f
cp -r f g
run 0 authority issuer two --dir f
run 0 authority issuer three --dir g
run 1 authority log --dir f --take g
says 'would fork the log'
run 1 authority issuer four --dir f --spare g
says 'would fork the log'
# The last entry of g behind those of f.
python3 - <<'PY'
def entries(path):
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        n = 2 + int.from_bytes(data[at:at + 2], "big")
        yield data[at:at + n]
        at += n
both = list(entries("f/authority.log"))
both += [e for e in entries("g/authority.log") if e not in both]
open("both", "wb").write(b"".join(both))
PY
run 3 authority log --log both
says 'THE LOG IS FORKED in 2 branches'
run 3 authority log --log both -o json
valid
shows '"forked": true'
cp both f/authority.log
run 1 authority issuer four --dir f
says 'only revocations count'
run 0 authority revoke host 00112233445566778899aabbccddeeff --dir f --reason stolen

# The successor ends the fork: the owner says what stands.
run 1 authority rotate --dir f --no-passphrase
says 'is forked: say with --after'
cp f/authority.log forked
run 1 authority rotate --dir f --no-passphrase --after 2
says 'more than one entry'
run 3 authority log --dir f -o csv
mine=$(sed -n 's/^2,.*,two,.*,\([0-9a-f]\{32\}\),$/\1/p' out)
[ -n "$mine" ] || fail "the log shows no hash of entry 2"
run 0 authority rotate --dir f --no-passphrase --after "$(printf %.12s "$mine")" -o json
valid
shows '"entries_dropped": 2, "revocations_dropped": 1'
run 0 authority log --dir f
shows '^ *3 .* rotate '
! grep -q three out || fail "what the rotation dropped is listed"
run 0 authority issuer four --dir f
# Whoever has both branches takes it, and a copy that went its own way can be brought up.
run 0 authority log --dir g --take f
cmp -s f/authority.log g/authority.log || fail "the copy did not take the rotation"
# A thief's entries that another copy has: refused, unless the owner says where they begin.
cp -r f thief
rm -f thief/spare
run 0 authority issuer theirs --dir thief
run 1 authority rotate --dir f --no-passphrase --spare thief
says 'end them: --after ENTRY'
run 0 authority rotate --dir f --no-passphrase --spare thief --after 4
cmp -s f/authority.log thief/authority.log || fail "the copy keeps the thief's entry"

# Logs of drafts named no successor.
mkdir draft
python3 - <<'PY'
log = open("f/authority.log", "rb").read()
n = int.from_bytes(log[:2], "big")
genesis = log[2:2 + n]
body = b"\x82" + genesis[52:-66 - 35]
old = genesis[:51] + body + genesis[-66:]
open("draft/authority.log", "wb").write(len(old).to_bytes(2, "big") + old)
PY
chmod 600 draft/authority.log
run 1 authority extend --dir draft --days 5
says 'named no successor'

# A clock that is wrong would be wrong everywhere, for good: the log of the test vectors is of 2024.
mkdir v
python3 - "$root" <<'PY'
import re, sys
text = open(sys.argv[1] + "/tests/vectors/log.txt").read()
entries = [bytes.fromhex(e) for e in re.findall(r"^entry\d+\.bytes = (\w+)", text, re.M)]
open("v/authority.log", "wb").write(b"".join(len(e).to_bytes(2, "big") + e for e in entries))
PY
chmod 600 v/authority.log
cp f/authority.key f/estate.key v
run 1 authority extend --dir v --days 5
says "the log's newest entry is of 2024-07-19"
says 'clock-is-right'
run 1 authority extend --dir v --days 5 --clock-is-right
says 'is not the key that'
if command -v faketime >/dev/null; then
	code=0
	faketime '-3 days' "$mesh" authority issuer past --dir g >out 2>err || code=$?
	[ "$code" -eq 1 ] || fail "signs with a clock behind the log"
	says 'set the clock'
fi

# Tokens: what they are for, never what they hold.
run 0 authority init --dir h --name Shop --no-passphrase
run 0 authority issuer shop --dir h --site berlin --site leeds
printf 'subnet,site\n10.1.0.0/16,berlin\r\n# the north\nfd00:2::/32 , leeds\n\n' >subnets
run 0 token create --dir h --issuer shop --subnets subnets --subnet 10.1.7.0/24=leeds --seed 10.1.0.5:7946 --out st
run 0 token show st -o json
valid
shows '"state": "usable"'
shows '"subnets": "10.1.7.0/24=leeds, 10.1.0.0/16=berlin, fd00:2::/32=leeds", "seeds": "10.1.0.5:7946"'
shows '"granted_sites": "berlin, leeds", "quota": 1000'
run 0 token show st
shows '^Issuer    shop '
for wrong in 10.1.0.0=berlin 10.1.0.0/33=berlin 10.1.0.1/16=berlin 10.1.0.0/16 host/8=berlin '10.0.0.0/8='; do
	run 2 token create --dir h --issuer shop --subnet "$wrong" --out no
done
run 1 token create --dir h --issuer shop --subnet 10.0.0.0/8=paris --out no
says 'outside the grant'
run 2 token create --dir h --issuer shop --subnet 10.0.0.0/8=leeds --subnet 10.0.0.0/8=berlin --out no
says 'named twice'
[ ! -e no ] || fail "a refused token left a file"
echo mesh-token-used >used
chmod 600 used
run 3 token show used
shows 'was used'
run 3 token show used -o json
valid
run 1 token show keep
sed '3s/./A/5' st >changed
cmp -s st changed && sed '3s/./B/5' st >changed
run 1 token show changed
run 0 authority revoke issuer shop --dir h --reason closed --keep-none
# The token's own log is older: it says what it knows.
run 0 token show st

# Certificates.
run 0 enroll --token st --state n --site leeds --keep-token -o json
valid
shows '"site": "leeds", "state": "n"'
run 0 cert show --state n -o json
valid
shows '"issuer_name": "shop"'
shows '"standing": "good"'
run 0 cert show n/certificate --state n -o csv
cp h/authority.log n/authority.log
run 3 cert show --state n
shows '^Standing  revoked'
head -c 300 st >cut
run 1 cert show cut --state n
says 'no certificate'
done_with 91
