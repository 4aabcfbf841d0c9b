#!/bin/sh
# From nothing to enrolled hosts, and everything that can go wrong on the way: each error says what and what to
# do, and loses nothing.
set -eu
. "$(dirname -- "$0")/lib.sh"

mode() {
	stat -c %a "$1"
}

# Authority
run 2 authority init --dir a
says 'option --name is missing'
run 1 authority init --dir a --name Example --passphrase-file nowhere
[ ! -e a ] || fail "a failed init left something"
echo 'correct horse' >pass
chmod 644 pass
run 1 authority init --dir a --name Example --passphrase-file pass
says '0644'
chmod 600 pass
run 2 authority init --dir a --name Example --passphrase-file pass --no-passphrase
run 2 authority init --dir a --name "$(printf 'a\nb')" --no-passphrase
if command -v setsid >/dev/null; then
	code=0
	setsid -w "$mesh" authority init --dir a --name Example >out 2>err </dev/null || code=$?
	[ "$code" -eq 1 ] || fail "without a terminal there is no passphrase"
	says 'passphrase-file'
fi
run 0 authority init --dir a --name Example --passphrase-file pass --successor-passphrase-file pass
shows 'spare copy'
[ "$(mode a) $(mode a/authority.key) $(mode a/estate.key) $(mode a/successor.key)" = "700 600 600 600" ] || fail "modes of the authority"
cp -r a a.before
run 1 authority init --dir a --name Other --no-passphrase
says 'never overwritten'
diff -r a a.before || fail "a second init changed the first"

# Issuer
run 1 authority issuer rollout --dir b
says 'mesh authority init'
[ ! -e b ] || fail "a missing authority was begun"
run 2 authority issuer ../rollout --dir a
run 2 authority issuer rollout --dir a --quota 0
run 2 authority issuer rollout --dir a --site ''
run 2 authority issuer rollout --dir a --site a-name-of-a-site-that-is-longer-than-32-bytes
echo wrong >wrong
chmod 600 wrong
run 1 authority issuer rollout --dir a --passphrase-file wrong
[ ! -e a/issuers ] || fail "a wrong passphrase left a key"
run 0 authority issuer rollout --dir a --site berlin --site leeds --quota 20 --passphrase-file pass
shows 'berlin, leeds'
[ "$(mode a/issuers/rollout.key)" = 600 ] || fail "mode of the issuer's key"
run 1 authority issuer rollout --dir a --passphrase-file pass
says 'exists already'
# A key without its grant is what a crash leaves: the next attempt takes it up.
cp a/authority.log log.before
run 0 authority issuer second --dir a --passphrase-file pass
cp a/issuers/second.key second.key
cp log.before a/authority.log
run 1 token create --dir a --issuer second --out second --passphrase-file pass
says 'finish it'
run 0 authority issuer second --dir a --passphrase-file pass
cmp -s a/issuers/second.key second.key || fail "the key was made anew"

# Token
run 2 token create --dir a --issuer rollout
says 'option --out is missing'
run 1 token create --dir a --issuer nobody --out t
says 'mesh authority issuer nobody'
run 1 token create --dir a --issuer rollout --site paris --out t --passphrase-file pass
says 'outside the grant'
run 2 token create --dir a --issuer rollout --seed localhost:7946 --out t
says 'numeric address'
run 2 token create --dir a --issuer rollout --seed 127.0.0.1:0 --out t
run 2 token create --dir a --issuer rollout --days -1 --out t
[ ! -e t ] || fail "a failed token left a file"
run 0 token create --dir a --issuer rollout --seed 127.0.0.1:7946 --seed '[::1]:7946' --out t --passphrase-file pass
[ "$(mode t)" = 600 ] || fail "mode of the token"
cp t t.before
run 1 token create --dir a --issuer rollout --out t --passphrase-file pass
cmp -s t t.before || fail "a token was overwritten"

# Enrolment: what is refused leaves the token and the folder as they were.
refused() {
	run "$@"
	cmp -s t t.before || fail "mesh $*: the token changed"
	[ ! -e s ] || fail "mesh $*: a state folder was begun"
}
refused 2 enroll --state s
refused 1 enroll --token nowhere --state s
says 'ask for a new one'
refused 1 enroll --token t --state s
says 'name one with --site (berlin, leeds)'
refused 1 enroll --token t --state s --site paris
says 'outside the issuer'
refused 2 enroll --token t --state s --site "$(printf 'ber\033lin')"
umask 077
head -c 300 t >short
refused 1 enroll --token short --state s --site berlin
says 'incomplete'
sed '3s/./A/5' t >changed
cmp -s t changed && sed '3s/./B/5' t >changed
refused 1 enroll --token changed --state s --site berlin
echo mesh-token-used >used
refused 1 enroll --token used --state s --site berlin
says 'used already'
echo 'not a token' >other
refused 1 enroll --token other --state s --site berlin
head -c 2000000 /dev/zero >huge
refused 1 enroll --token huge --state s --site berlin
umask 022
if command -v faketime >/dev/null; then
	code=0
	faketime '+30 days' "$mesh" enroll --token t --state s --site berlin >out 2>err || code=$?
	[ "$code" -eq 1 ] || fail "an old token enrols"
	says 'was valid until'
fi
if [ "$(id -u)" -ne 0 ]; then
	mkdir sealed
	chmod 500 sealed
	run 1 enroll --token t --state sealed/s --site berlin
	says 'sealed'
	cmp -s t t.before || fail "the token changed"
fi
: >file
run 1 enroll --token t --state file --site berlin
cmp -s t t.before || fail "the token changed"
run 1 enroll --token t --state file/s --site berlin

run 0 enroll --token t --state s --site berlin --keep-token
shows 'of site berlin'
cmp -s t t.before || fail "--keep-token did not keep it"
host=$(sed -n 's/^Enrolled as host \([0-9a-f]*\) .*/\1/p' out)
[ ${#host} -eq 32 ] || fail "no host id"
for file in identity.key estate.key certificate authority.log seeds; do
	[ "$(mode s/$file)" = 600 ] || fail "mode of $file"
done
cp -r s s.before
run 1 enroll --token t --state s --site leeds
says "$host"
diff -r s s.before || fail "a second enrolment changed the first"
# Whoever could read it may have enrolled hosts: nothing is done before that is mended.
chmod 640 t
run 1 enroll --token t --state s2 --site leeds
says '"t".* mode 0640 .*chmod it to 0600'
[ ! -e s2 ] || fail "an exposed token began a folder"
cmp -s t t.before || fail "an exposed token was touched"
chmod 600 t
run 0 enroll --token t --state s2 --site leeds
[ ! -e t ] || fail "the token is still there"
run 1 enroll --token t --state s3 --site leeds
says 'ask for a new one'
[ ! -e s3 ] || fail "a missing token began a folder"

# A token is wiped through the file that was read, whatever else names it.
run 0 token create --dir a --issuer rollout --out t --passphrase-file pass
ln -s t link
run 0 enroll --token link --state s3 --site leeds
[ ! -e t ] || fail "the token behind a link is still there"
rm link
run 0 token create --dir a --issuer rollout --out t --passphrase-file pass
ln t twin
run 0 enroll --token t --state s5 --site leeds -o json
says '1 more name'
[ ! -e t ] && [ "$(cat twin)" = mesh-token-used ] || fail "a second name kept the token"
grep -q '"token_wiped": *true' out || fail "token_wiped"
run 1 enroll --token twin --state s6 --site leeds
says 'used already'
# What could not be wiped after is refused before.
run 0 token create --dir a --issuer rollout --out t --passphrase-file pass
cp t t.before
mkdir medium
if unshare -rm sh -ec 'mount -t tmpfs none medium; mount -o remount,ro medium' 2>/dev/null; then
	cp -p t medium/t
	code=0
	unshare -rm sh -ec 'mount -t tmpfs none medium; cp -p t medium/t; mount -o remount,ro medium
		exec "$0" enroll --token medium/t --state s6 --site leeds' "$mesh" >out 2>err || code=$?
	[ "$code" -eq 1 ] || fail "a token that cannot be wiped enrols: $code"
	says 'read-only.*--keep-token'
	[ ! -e s6 ] || fail "a refused token began a folder"
fi
mkdir sealed.folder
mv t sealed.folder/t
chmod 400 sealed.folder/t
chmod 500 sealed.folder
if [ "$(id -u)" -ne 0 ]; then
	run 0 enroll --token sealed.folder/t --state s7 --site leeds
	says 'shell could not be removed'
	[ "$(cat sealed.folder/t)" = mesh-token-used ] || fail "a token that cannot be removed was not wiped"
fi
chmod 700 sealed.folder

# An estate without a passphrase asks for none, and a grant of one site is the token's default.
run 0 authority init --dir c --name Trial --no-passphrase
shows 'no passphrase'
run 0 authority issuer only --dir c --site oslo
run 0 token create --dir c --issuer only --out t
run 0 enroll --token t --state s4
shows 'of site oslo'

# Root enrols into the folder of a service, which was erased to do so: the service can read what is there.
mkdir service
# Where there are other users: not in a user namespace of its own.
if [ "$(id -u)" = 0 ] && chown 4711:4712 service 2>/dev/null; then
	run 0 token create --dir c --issuer only --out t
	: >service/lock
	chown 4711:4712 service service/lock
	chmod 600 service/lock
	run 0 enroll --token t --state service
	for file in identity.key estate.key certificate authority.log seeds lock; do
		[ "$(stat -c %u:%g service/$file)" = 4711:4712 ] || fail "owner of $file"
		[ "$(mode service/$file)" = 600 ] || fail "mode of $file"
	done
fi
done_with 45
