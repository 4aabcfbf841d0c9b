#!/bin/sh
# Wrong command lines, and answers that cannot be given, each with its exit code and what it says.
set -eu
. "$(dirname -- "$0")/lib.sh"

code=0
"$mesh" >out 2>err || code=$?
[ "$code" -eq 2 ] && [ ! -s out ] && grep -q "^Verbs:" err || fail "mesh alone is no usage error"

run 0 version
shows "^mesh [0-9]"
cp out version
run 0 --version
cmp -s out version || fail "two versions"

run 2 hots
says 'did you mean "hosts"'
run 2 "$(printf 'ho\033[2Jts')"
says 'ho\\x1b\[2Jts'
run 2 authority
says 'second word: init or issuer or extend'
run 0 help authority
shows '^  authority issuer  *grant a new issuer'
run 0 authority --help
shows '^  authority publish  *hand'
run 2 help authority nothing
run 2 help hosts nothing
run 2 commit
run 2 ''
run 2 hosts --stauts up
says 'did you mean --status'
run 2 hosts extra
says 'unexpected argument "extra"'
run 2 show
says 'HOST is missing'
run 2 hosts --state
says 'needs a value'
run 2 hosts --state=
says 'empty'
run 2 hosts --allow-partial=1
run 2 hosts -o xml --state .
says 'table wide json jsonl csv'
run 2 sql
run 2 sql 'SELECT 1' --file x
run 2 sql 'SELECT 1' --timeout 0
says 'from 1 to 3600'
run 2 sql 'SELECT 1' --timeout 1e9
run 2 drill cut
run 2 drill chop leeds
run 2 drill cut ''
run 2 drill cut a-name-of-a-site-that-is-longer-than-32-bytes
run 2 token
says 'second word: create or show'
run 2 token create
run 2 help no-such-verb
run 2 help --completion fish

# No replica, no daemon: an error that says what to do, whatever the format; nothing on standard output.
for format in table wide json jsonl csv; do
	run 1 hosts --state nowhere -o $format
	says 'nowhere'
done
for verb in components sites status peers; do
	run 1 $verb --state nowhere
	says 'nowhere'
done
run 1 show x --state nowhere
run 1 sql 'SELECT 1' --state nowhere
run 1 sql --file missing.sql --state nowhere
says 'missing.sql'
run 1 drill cut leeds --state nowhere
says 'meshd is not running'
MESH_STATE=elsewhere
export MESH_STATE
run 1 hosts
says 'elsewhere'

# A full disk is told; a reader that goes away is not.
if [ -w /dev/full ]; then
	code=0
	"$mesh" help >/dev/full 2>err || code=$?
	[ "$code" -eq 1 ] && grep -q 'cannot write to standard output' err || fail "a full disk goes unnoticed"
fi
: >err
(
	trap '' PIPE
	code=0
	"$mesh" help --completion bash 2>err || code=$?
	echo "$code" >code
) | :
[ ! -s err ] || fail "a broken pipe is not quiet"
done_with 39
