#!/bin/sh
# What may run in kernel mode, with real daemons: a policy is set at one node and decides at the other, whole or not at
# all; who may not set it is told why; who signed what is known everywhere.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

run 0 authority init --dir a --name Trial --no-passphrase
run 0 authority issuer i --dir a
umask 077
for who in jo bo al; do
	run 0 operator init $who.key --no-passphrase
done
run 0 authority operator jo --dir a --role policy --public-key jo.key.pub
run 0 authority operator bo --dir a --role policy --public-key bo.key.pub
run 0 authority operator al --dir a --role inventory --public-key al.key.pub
run 0 token create --dir a --issuer i --seed "$seed" --out t
for n in 1 2; do
	enrol $n t berlin
	start $n
done
until_shows '^2$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n1 -o csv
until_shows '^2$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n2 -o csv

# What runs on this machine, whatever it is: the kernel itself.
run any sql "SELECT name, version FROM components WHERE kind = 'kernel' AND hosts = 2" --state n2 -o csv
[ "$(wc -l <out)" -eq 2 ] || fail "not one kernel"
name=$(tail -n 1 out | cut -d, -f1)
version=$(tail -n 1 out | cut -d, -f2)
unapproved() {
	state=$1
	shift
	"$@" components --unapproved --all --name "$name" --state "$state"
}
unapproved n2 run 3
shows '^No policy is in force here'
run any policy history --state n2
shows '^No policy that counts was ever signed'

# A file with faults: each is named, nothing is set, no key is asked for.
printf 'name,version,verdict,kind\nfalcon,1,yes,\n,2,,\nfalcon,3,refused,gadget\nx,1\n"open,1,,\n' >bad.csv
for options in '--dry-run' '--state n1' '-o json --state n1'; do
	# shellcheck disable=SC2086 # one word or more
	run 1 policy set bad.csv $options
	says '^mesh: "bad.csv" has 6 faults, and nothing of it was set:$'
	says '^  line 2, column verdict: "yes" is none of approved, refused$'
	says '^  line 3: a row needs a name, a vendor, a source or a kind$'
	says '^  line 4, column kind: "gadget" is none of module, '
	says '^  line 5: 2 fields, where the header has 4$'
	says '^  line 6, column name: a quote that is not closed'
done
run 1 policy set nothing.csv --dry-run
run 2 policy set
run any sql "SELECT count(*) FROM lists" --state n1 -o csv
[ "$(tail -n 1 out)" = 0 ] || fail "a refused policy was signed"

# Who may not.
printf 'name,version,kind,remark\n%s,%s,kernel,tested\nfalcon,7.11,,\n' "$name" "$version" >first.csv
run 0 policy set first.csv --dry-run -o json
shows '"set": false, "approved": 2, "refused": 0'
run 2 policy set first.csv --state n1
says 'name your key with --key'
run 1 policy set first.csv --state n1 --key al.key
says 'operator "al" has not the role "policy"'
run 1 policy set first.csv --state nowhere --key jo.key
says 'meshd is not running in "nowhere"; start it'
unapproved n1 run 3

# Who may: signed at one node, it decides at the other.
run 0 policy set first.csv --state n1 --key jo.key --title 'spring'
shows '^Set: 2 rows approve, and 0 rows refuse\. 0 earlier policies are replaced\.$'
for n in 1 2; do
	unapproved n$n until_shows '^None\.$'
	run any sql "SELECT DISTINCT approval FROM components WHERE kind = 'kernel'" --state n$n -o csv
	[ "$(tail -n 1 out)" = approved ] || fail "the kernel is not approved at n$n"
done

# From the other node: it takes the place of the first, and now the kernel is refused.
printf 'name;version;version_op;verdict\r\n%s;%s;<=;refused\r\n%s;;;\r\n' "$name" "$version" "$name" >second.csv
run 0 policy set second.csv --state n2 --key jo.key -o json
"$json_tool" <out || fail "policy set is no JSON"
shows '"set": true, "approved": 1, "refused": 1, "records": 1, "replaced": 1, "beside": 0'
for n in 1 2; do
	unapproved n$n until_shows " refused\$"
	until_shows '^2,1$' sql "SELECT count(*), count(DISTINCT record) FROM policy" --state n$n -o csv
done

# Who signed what: the same at both.
for n in 1 2; do
	run any policy history --state n$n
	shows ' jo  *in force  *2  *second.csv '
	shows ' jo  *replaced  *2  *spring .* jo$'
	[ "$(grep -c ' jo ' out)" -eq 2 ] || fail "not two policies"
done
run any policy history --state n1 -o json
"$json_tool" <out || fail "policy history is no JSON"
run any sql "SELECT a.state, b.title FROM lists a JOIN lists b ON b.record = a.replaced_by" --state n1 -o csv
[ "$(tail -n 1 out)" = replaced,second.csv ] || fail "by what it was replaced"

# Another person's stands beside it, and a refusal holds whoever approves; what is shown can be set again.
run 0 policy set first.csv --state n1 --key bo.key
shows '1 earlier one stands beside it: --replace all'
until_shows '^4,2$' sql "SELECT count(*), count(DISTINCT record) FROM policy" --state n2 -o csv
unapproved n2 run any
shows ' refused$'
"$mesh" policy show --state n2 -o csv >shown.csv 2>err || [ $? -eq 3 ] || fail "policy show"
run 0 policy set shown.csv --dry-run -o json
shows '"approved": 3, "refused": 1'
run 0 policy set shown.csv --state n2 --key bo.key --replace all
shows '^Set: 3 rows approve, and 1 row refuses\. 2 earlier policies are replaced\.$'
until_shows '^4,1$' sql "SELECT count(*), count(DISTINCT record) FROM policy" --state n1 -o csv
run any policy show --state n1
shows "^refused  *=  *$name  *<=  *$version "

# Once the key is revoked what it said is gone, and what it had replaced stands again.
run 0 authority revoke operator bo --dir a --reason 'left us' --state n1
run 1 policy set first.csv --state n1 --key bo.key
says 'the authority has revoked this key (operator "bo")'
until_shows '^2,1$' sql "SELECT count(*), count(DISTINCT record) FROM policy" --state n2 -o csv
run any policy history --state n2
shows ' jo  *in force  *2  *second.csv '
! grep -q ' bo ' out || fail "what a revoked operator signed is listed"
done_with 40
