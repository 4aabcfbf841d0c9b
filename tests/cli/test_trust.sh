#!/bin/sh
# What the verbs say of an estate in trouble: revoked hosts are in no answer, the others are marked, issues are
# listed with what to do, and a host's page tells its own. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

# From a while ahead, so that it does not get stale under a slow test.
now=$(($(date +%s) + 900))000
"$estate" --hosts 60 --sites 4 --seed 3 --at "$now" --out est --trouble >/dev/null
MESH_STATE=$work/est
export MESH_STATE

# one QUESTION: the single value it has.
one() {
	"$mesh" sql "$1" -o csv 2>/dev/null | tail -n 1
}

of_kind() {
	one "SELECT subject FROM issues WHERE kind = '$1'"
}

# Revoked hosts by themselves and by their issuer: ids, names, their site, their component.
[ "$(one 'SELECT count(*) FROM hidden_hosts')" = 2 ] || fail "not two hidden hosts"
"$mesh" sql 'SELECT host FROM hidden_hosts' -o csv 2>/dev/null | tail -n +2 | cut -c1-8 >secret
echo hideout >>secret
hidden=$(one "SELECT host FROM hidden_hosts WHERE reason = 'host-revoked'")

# clean ARGUMENT...: no form of the answer names them.
clean() {
	for format in table wide json jsonl csv; do
		[ "$1 $format" != "show csv" ] || continue
		run 0 "$@" -o $format
		! grep -q -F -f secret out || fail "mesh $* -o $format shows a revoked host"
	done
}
clean hosts
clean hosts --limit 1000
clean hosts --limit 1000 --status up
clean hosts --limit 1000 --where "name LIKE '%'"
clean sites
clean components
clean components --all
clean components --all --where 1
run 3 status --state est -o json
! grep -q -F -f secret out || fail "mesh status shows a revoked host"
for table in $("$mesh" sql --schema -o csv | cut -d, -f1 | sort -u | grep -v -e '^table$' -e '^issue' -e '^hidden_hosts$'); do
	clean sql "SELECT * FROM $table"
done
for host in $("$mesh" sql 'SELECT host FROM hosts' -o csv 2>/dev/null | tail -n +2); do
	run 0 show "$host" -o json
	! grep -q -F -f secret out || fail "mesh show $host shows a revoked host"
done
run 1 hosts --site hideout
says 'no site "hideout" is known here'

# The others are marked, and counted apart.
run 0 hosts --all
shows '^Coverage: 57 hosts (55 up, 1 replaced, 2 asleep), 4 sites'
shows '^Trust: 17 issues open, 5 critical (mesh issues); 1 host quarantined; 2 hosts revoked and hidden; 1 grant in grace; authority log FORKED$'
cp out hosts
for standing in grace quarantined ended; do
	cp hosts out
	shows " up, $standing "
	run 0 hosts --standing $standing -o csv
	[ "$(wc -l <out)" -eq 2 ] || fail "not one host --standing $standing"
done
run 2 hosts --standing revoked
run 0 hosts -o json
"$json_tool" <out || fail "no valid JSON"
shows '"status": "up".*"standing": "quarantined"'
shows '"hosts": 57, .*"replaced": 1, .*"quarantined": 1, "revoked_hidden": 2, "issues": 17, "issues_critical": 5, "issues_warning": 8, "grants_in_grace": 1, "log_forked": true}'

# Every issue, in every format, with what it means.
run 0 issues
[ "$(grep -c -e '^critical ' -e '^warning ' -e '^info ' out)" -eq 17 ] || fail "not 17 issues"
head -n 2 out | grep -q '^critical ' || fail "the worst is not the first"
shows '^cloned$'
shows '^  Two nodes use this host.s key'
shows '^  On the copy, stop meshd'
shows '\\x1b\[31mred'
! grep -q "$(printf '\033')" out || fail "hostile text gets to the terminal"
run 0 issues -o wide
shows 'Raise the quota'
run 0 issues -o csv
[ "$(wc -l <out)" -eq 18 ] || fail "csv has not one line an issue and one for the head"
run 0 issues -o json
"$json_tool" <out || fail "no valid JSON"
run 0 issues -o jsonl
"$json_tool" --lines <out || fail "no valid jsonl"
for kind in $("$mesh" sql 'SELECT kind FROM issues' -o csv 2>/dev/null | tail -n +2); do
	run 0 issues --kind "$kind" -o csv
	[ "$(wc -l <out)" -eq 2 ] || fail "not one issue --kind $kind"
done
run 0 issues --severity critical -o csv
[ "$(wc -l <out)" -eq 6 ] || fail "--severity"
run 2 issues --kind nonsense
says 'takes no "nonsense"'
run 0 issues --where "standing = 'quarantined'" -o csv
[ "$(wc -l <out)" -eq 2 ] || fail "--where"
run 0 issues --where 0
shows '^No such issue is open'

# A host's page.
run 0 show "$(of_kind cloned)"
shows '^cloned  *critical .*instances 00000000000000a1 and 00000000000000b2'
run 0 show "$(of_kind equivocation)"
shows '^Proof: two records of one order'
[ "$(grep -c '^ *[12]  health  *[0-9]* ' out)" -eq 2 ] || fail "not two proofs"
run 0 show "$(of_kind equivocation)" -o json
"$json_tool" <out || fail "no valid JSON"
shows '"issue_proofs": \[{"kind": "equivocation".*"number": 1, "record_kind": "health".*"number": 2, '
run 0 show "$(of_kind quarantined)"
shows '^QUARANTINED: '
# A machine that was imaged again: its name means the later host, which says whose place it took.
run 0 show imaged-again
shows '^imaged-again is up'
shows '^Took the place of'
shows '  imaged-again  .*  replaced '
run 0 show "$(one "SELECT host FROM hosts WHERE status = 'replaced'")"
shows '^imaged-again is replaced: its hardware was enrolled again with a new key, as '
shows "^  replaced by  *$(one "SELECT host FROM hosts WHERE name = 'imaged-again' AND status = 'up'")"
# Two live hosts with one name are listed; each page names the other.
run 1 show twin
says '"twin" may be any of 2 hosts; name one by its id'
[ "$(grep -c '^  [0-9a-f]\{32\}  twin  [a-z]*  up, seen ' err)" -eq 2 ] || fail "both are not listed"
run 0 show "$(of_kind duplicate-hardware)"
shows '^Other hosts of this name'
# A revoked one: why and since when; its last words only where asked for.
for typed in "$hidden" "$(echo "$hidden" | cut -c1-10)" "$(one "SELECT name FROM hidden_hosts WHERE host = '$hidden'")"; do
	run 0 show "$typed"
	shows ' is revoked: what it says is not believed'
	shows '^  reason  *host-revoked'
	shows '^  detail  *laptop lost'
	shows '^  since  *[0-9]'
	! grep -q kernel out || fail "the last words of a revoked host"
done
run 0 show "$hidden" -o json
"$json_tool" <out || fail "no valid JSON"
! grep -q kernel out || fail "the last words of a revoked host"
run 0 show "$hidden" --revoked
shows ' is revoked, and was up'
shows '^REVOKED: '
shows '^  kernel  '
shows 'hideout_driver'
run 0 show "$hidden" --revoked -o json
shows '"standing": "revoked"'

# This node's own.
run 3 status
shows '^Issues    clock-off (mesh issues)$'
run 3 status -o json
shows '"own_issues": 1'

# Nothing wrong: no line of it, an empty list.
"$estate" --hosts 20 --sites 2 --seed 3 --at "$now" --out fine >/dev/null
run 0 issues --state fine
shows '^No such issue is open'
! grep -q '^Trust' out || fail "trouble where there is none"
run 0 show "$("$mesh" sql 'SELECT host FROM hosts LIMIT 1' -o csv --state fine 2>/dev/null | tail -n 1)" --state fine
shows '^Issues$'
! grep -q -e '^Proof' -e '^Took' out || fail "sections without rows"
done_with 140
