#!/bin/sh
# Keys in the hands of persons: an operator's own key, which the authority never holds; the passphrases of what an
# authority's folder holds, and changing them.
set -eu
. "$(dirname -- "$0")/lib.sh"

field() {
	sed -n "s/^.*\"$1\": *\"\([^\"]*\)\".*$/\1/p" out | head -n 1
}

flag() {
	grep -q "\"$1\": *$2" out || fail "$1 is not $2"
}

for name in authority person other new; do
	(umask 077 && echo "the passphrase of $name" >"$name.pass")
done

# A person makes a key, and nobody else has it.
run 2 operator init
run 1 operator init jo.key --passphrase-file nowhere
[ ! -e jo.key ] && [ ! -e jo.key.pub ] || fail "a failed init left something"
run 1 operator init no/jo.key --passphrase-file person.pass
run 2 operator init jo.key --passphrase-file person.pass --no-passphrase
run 0 operator init jo.key --passphrase-file person.pass -o json
"$json_tool" <out
flag protected true
id=$(field operator)
[ ${#id} -eq 32 ] || fail "no id"
[ "$(cat jo.key.pub)" = "$(field public_key)" ] || fail "the public half is another"
[ "$(stat -c %a jo.key jo.key.pub | tr '\n' ' ')" = "600 644 " ] || fail "modes"
cp jo.key before
run 1 operator init jo.key --passphrase-file person.pass
says 'never overwritten'
: >kim.key.pub
run 1 operator init kim.key --passphrase-file person.pass
says 'kim.key.pub.*never overwritten'
[ ! -e kim.key ] || fail "a key without its public half was left"
cmp -s jo.key before || fail "a key was overwritten"
run 0 key show jo.key
shows "^Kind  *operator\$"
shows "^Id  *$id\$"
shows '^Passphrase  *yes$'
run 0 key show jo.key -o json
"$json_tool" <out
run 1 key show jo.key.pub
says '0644'
chmod 600 jo.key.pub
run 1 key show jo.key.pub
says 'no key file'
head -c 148 /dev/zero >zero
chmod 600 zero
run 1 key show zero
says 'no key file'
head -c 1000000 /dev/zero >zero
run 1 key show zero
says 'no key file'
cp jo.key damaged
printf x | dd of=damaged bs=1 seek=100 conv=notrunc 2>dd
run 1 key show damaged
says 'damaged'

# The authority signs the public half alone.
run 0 authority init --dir a --name Example --passphrase-file authority.pass --successor-passphrase-file authority.pass
A="--dir a --passphrase-file authority.pass"
run 0 authority operator jo $A --role incidents --public-key jo.key.pub
shows "^Id $id\$"
shows 'that the person was shown'
[ ! -e a/operators ] || fail "the authority holds a person's key"
# Again by name: the same key, not a new one.
run 0 authority operator jo $A --role incidents,policy --days 10 -o json
[ "$(field operator)" = "$id" ] || fail "another key for the same name"
grep -q 'policy' out || fail "the roles are not the new ones"
[ ! -e a/operators ] || fail "a key was made for somebody who has one"
# A new key beside the one that counts is said.
run 0 operator init jo2.key --no-passphrase
shows 'without a passphrase'
run 0 authority operator jo $A --role incidents --public-key jo2.key.pub
says 'another key is known as "jo"'
echo 123 >short
run 1 authority operator kim $A --role incidents --public-key short
says 'neither a key file'
run 1 authority operator kim $A --role incidents --public-key a/authority.key
says "no operator's key file"
run 0 authority revoke operator "$id" $A --reason lost
run 1 authority operator jo3 $A --role incidents --public-key jo.key.pub
says 'revoked, for good'

# estate.key and issuers' keys are protected as the authority's key is.
run 0 key show a/estate.key -o json
flag protected true
run 0 authority issuer tills $A -o json
flag protected true
run 0 authority issuer gates $A --no-key-passphrase
shows 'without a passphrase: whoever reads it'
run 0 authority issuer doors $A --key-passphrase-file other.pass
run 2 authority issuer no --dir a --key-passphrase-file other.pass --no-key-passphrase --passphrase-file authority.pass
[ ! -e a/issuers/no.key ] || fail "a refused key was made"
run 1 token create --dir a --issuer tills --out t
run 1 token create --dir a --issuer tills --out t --passphrase-file other.pass
says 'does not open'
[ ! -e t ] || fail "a token without a passphrase"
run 0 token create --dir a --issuer tills --out t --passphrase-file authority.pass
run 0 token create --dir a --issuer gates --out t2 --passphrase-file authority.pass
run 1 token create --dir a --issuer doors --out t3 --passphrase-file other.pass
says 'estate-passphrase-file'
run 0 token create --dir a --issuer doors --out t3 --passphrase-file other.pass --estate-passphrase-file authority.pass
# Nobody is asked when enrolling.
run 0 enroll --token t --state s --site berlin
run 0 authority init --dir b --name Bare --no-passphrase
run 0 authority issuer tills --dir b -o json
flag protected false
run 0 key show b/estate.key -o json
flag protected false
run 0 token create --dir b --issuer tills --out t4

# Another passphrase: all files or none.
cp -r a a.before
run 1 key passphrase a/estate.key a/issuers/doors.key --passphrase-file authority.pass --new-passphrase-file new.pass
says 'doors.key'
run 1 key passphrase a/estate.key a/issuers/tills.key --passphrase-file authority.pass --new-passphrase-file nowhere
run 1 key passphrase a/estate.key a/authority.log --passphrase-file authority.pass --new-passphrase-file new.pass
run 1 key passphrase a/estate.key nowhere --passphrase-file authority.pass --new-passphrase-file new.pass
run 2 key passphrase a/estate.key --passphrase-file authority.pass --new-passphrase-file new.pass --no-passphrase
diff -r a a.before || fail "a failed change of passphrase changed a file"
run 0 key passphrase a/estate.key a/issuers/tills.key --passphrase-file authority.pass --new-passphrase-file new.pass
shows '2 key files under the new'
run 1 token create --dir a --issuer tills --out t5 --passphrase-file authority.pass
run 0 token create --dir a --issuer tills --out t5 --passphrase-file new.pass
run 0 key passphrase a/estate.key a/issuers/tills.key --passphrase-file new.pass --no-passphrase
shows 'whoever reads them'
run 0 token create --dir a --issuer tills --out t6
# What stood there in the clear is wiped under its other names, too.
ln a/estate.key twin
run 0 key passphrase a/estate.key --new-passphrase-file new.pass -o json
"$json_tool" <out
[ ! -s twin ] || fail "the old file was not wiped"
run 1 token create --dir a --issuer tills --out t7
run 0 token create --dir a --issuer tills --out t7 --passphrase-file new.pass
# The person's own.
run 0 key passphrase jo.key --passphrase-file person.pass --new-passphrase-file new.pass
run 1 key passphrase jo.key --passphrase-file person.pass --new-passphrase-file new.pass
run 0 key show jo.key
shows "^Id  *$id\$"
mkdir medium
mv jo.key medium/jo.key
ln -s medium/jo.key jo.key
run 0 key passphrase jo.key --passphrase-file new.pass --new-passphrase-file person.pass
[ -L jo.key ] || fail "a link was replaced"
run 0 key show medium/jo.key
shows "^Id  *$id\$"
# A node asks nobody.
for file in identity.key estate.key; do
	run 1 key passphrase s/$file --new-passphrase-file new.pass
	says 'key of a node'
done
done_with 55
