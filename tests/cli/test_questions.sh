#!/bin/sh
# The verbs that ask a replica, over a synthetic estate: exit codes, formats, filters, refusals. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

"$estate" --hosts 60 --sites 4 --seed 3 --out est >/dev/null
MESH_STATE=$work/est
export MESH_STATE

valid() {
	"$json_tool" "$@" <out || fail "no valid JSON"
}

# ask WANT ARGUMENT...: in every format; JSON must be JSON.
ask() {
	run "$@" -o json
	valid
	grep -q '^{"rows": \[' out || fail "JSON does not begin with its rows"
	grep -q '^"coverage": {' out || fail "JSON has no coverage"
	run "$@" -o jsonl
	valid --lines
	tail -n 1 out | grep -q '^{"coverage": {' || fail "jsonl does not end with the coverage"
	run "$@"
	grep -q '^Coverage: 60 hosts (' out || fail "a table without coverage"
	run "$@" -o wide
}

ask 0 hosts --all
[ "$(grep -c '^[0-9a-f]\{32\}  ' out)" -eq 60 ] || fail "wide does not list 60 hosts with whole ids"
ask 0 hosts
[ "$(grep -c '^[0-9a-f]\{32\}  ' out)" -eq 20 ] || fail "wide does not list the first 20 hosts"
shows '^Shown: 20 of 60 hosts, those in trouble first; more with --limit N or --all$'
ask 0 components
ask 0 components --all
ask 0 sites
ask 0 sql 'SELECT kernel, count(*) AS n FROM hosts GROUP BY kernel'
run 0 hosts -o csv
[ "$(wc -l <out)" -eq 61 ] || fail "csv has not one line a host and one for the head"
says '^Coverage: '

# The first hosts are the first of all, whoever shows them; scripts get all unless they say how many.
run 0 hosts -o jsonl
[ "$(wc -l <out)" -eq 61 ] || fail "jsonl has not one line a host and one for the coverage"
shows '^{"coverage": {.*}, "counts": {"total": 60, "shown": 60, "dark": 0, .*"up": 5[0-9]'
grep '^{"host"' out >all
[ "$(cut -d'"' -f4 all | sort -u | wc -l)" -eq 60 ] || fail "a host is listed twice"
run 0 hosts -o jsonl --limit 7
shows '"counts": {"total": 60, "shown": 7, '
grep '^{"host"' out | cut -d, -f1-6 >first
head -n 7 all | cut -d, -f1-6 | cmp -s - first || fail "the first 7 hosts are not the first 7 of all"
run 0 hosts --limit 7 -o csv
[ "$(wc -l <out)" -eq 8 ] || fail "csv does not end at the limit"
says '^Shown: 7 of 60 hosts, '
run 0 hosts --limit 60
! grep -q '^Shown' out || fail "all are shown, and more promised"
run 0 hosts --limit 7 -o json
valid
shows '^"counts": {"total": 60, "shown": 7, "dark": 0, '
run 0 hosts --where "status <> 'up'" --limit 2
shows '^Shown: 2 of 3 hosts that match (.*3 asleep), those in trouble first'
run 0 hosts --where "status <> 'up'"
shows '^Shown: 3 hosts that match (3 asleep)$'
run 0 hosts --status up --limit 1
shows '^Shown: 1 of 5[0-9] hosts that match (5[0-9] up), '
run 0 hosts --site berlin --limit 1
shows '^Shown: 1 of [0-9]* hosts that match ('
# Asleep before up, then by site and name.
"$mesh" sql "SELECT host FROM hosts ORDER BY status = 'up', site, name, host" -o csv 2>/dev/null | tail -n +2 >want
cut -d'"' -f4 all | cmp -s - want || fail "hosts are not in the order that the help says"
run 2 hosts --limit 0
run 2 hosts --limit x
run 2 hosts --limit 5 --all
says 'exclude each other'

# Fits a terminal. COLUMNS is what it says it has.
if command -v script >/dev/null; then
	COLUMNS=80 script -qec "$mesh components --all" /dev/null >typescript </dev/null
	tr -d '\r' <typescript >out
	shows '^Coverage: '
	[ "$(grep -v -e '^Coverage' -e '^Modules' out | wc -L)" -le 80 ] || fail "a table is wider than the terminal"
fi

# How big is it: by the name of a component, its version, a condition.
name=$("$mesh" sql 'SELECT name FROM components WHERE third_party AND version IS NOT NULL ORDER BY hosts DESC, name LIMIT 1' \
	-o csv 2>err | tail -n 1)
ask 0 impact "$name"
shows '^DOWN [0-9]* confirmed, up to [0-9]* likely'
shows '^not hit  *[1-9]'
run 0 impact "$name@>=0" --window 2h.. -o json
valid
shows '^"magnitude": {"confirmed": '
run 0 impact "$name@>=999999" -o csv
shows '^not_hit,0,'
ask 0 impact "$name" --by site
shows '^berlin '
run 0 impact "$name" --class not_hit
shows '^HOST .*EVIDENCE$'
run 0 impact "$name" --where "site = 'berlin' -- and nowhere else" --by site -o csv
[ "$(wc -l <out)" -eq 2 ] || fail "--where lets other sites through"
run 0 impact --sql "third_party = 1 -- whatever they are called"
# As of a time gone by: of before this node watched nothing is claimed, and how far it knows is said.
run any impact "$name" --at 1s
shows '^As of .*, by all that is known now\.$'
shows '^The log of this node begins '
shows 'Site, role and model are today.s\.$'
run any impact "$name@>=0" --at 1s --window 2h.. -o json
valid
shows '^"fates": {"hit": 0, "back": 0, '
shows '^"history": {"log_begins_ms": [0-9]*, "log_dropped": false, "at_ms": [0-9]*, "watch": "'
run 3 impact "$name" --at 2001-01-01
shows 'That is later\.'
run 3 impact "$name" --at 2001-01-01 -o json
valid
shows '"watch": "before", "without_history": [0-9]*, "not_known_yet": [0-9]*}'
run any impact "$name" --at 1s --class not_hit --where "site = 'berlin'"
shows '^HOST .*TODAY$'
run any impact --sql "third_party = 1 AND site = 'berlin' AND host_name IS NOT NULL" --at 1s --by site -o csv
run 2 impact "$name" --at soon
says '"soon" is no time'
run 2 impact "$name" --at 2999-01-01
says 'is not here yet'
run 2 impact
says 'either COMPONENT or --sql'
run 2 impact "$name" --sql 1
run 2 impact @1
run 2 impact "$name@"
says 'write NAME@VERSION'
run 2 impact "$name@.."
run 2 impact "$name" --window '2026-07-19 07:27..2026-07-19 06:09'
says 'ends before it begins'
run 2 impact "$name" --window soon..
says '"soon" is no time'
run 2 impact "$name" --window 06:09
says 'FROM..TO'
run 2 impact "$name" --class gone
run 1 impact no-such-thing
says 'no host is known to have such a component'
run 1 impact --sql 'no_such_column = 1'
run 1 impact "$name" --where '1) OR (1'

# Nothing found is an answer, and says so.
ask 0 hosts --where 0
shows '^No host matches'
run 0 hosts --where 0 -o json
head -n 1 out | grep -q '^{"rows": \[\],$' || fail "no rows are no empty list"
ask 0 components --name no-such-component
shows '^No such third-party component is known; --all searches all [0-9]* components'
ask 0 components --all --name no-such-component
shows '^No such component is known'
ask 0 sql "SELECT name FROM hosts WHERE 0"
# A typing error is none.
run 1 hosts --site nowhere
says 'no site "nowhere" is known here'
run 2 hosts --status darkk
says 'takes no "darkk".*dark stopped'

# Filters agree with each other.
run 0 hosts --site berlin -o csv
berlin=$(wc -l <out)
run 0 hosts --where "site = 'berlin'" -o csv
[ "$(wc -l <out)" -eq "$berlin" ] || fail "--where and --site disagree"
run 0 hosts --where "site = 'berlin' -- and a comment" -o csv
[ "$(wc -l <out)" -eq "$berlin" ] || fail "a comment in --where"
run 0 sql 'SELECT name FROM hosts WHERE site = ?1' --param berlin -o csv
[ "$(wc -l <out)" -eq "$berlin" ] || fail "a parameter"
run 1 hosts --site "berlin' OR '1'='1" -o csv
run 0 sql 'SELECT name FROM hosts WHERE site = ?1' --param "berlin' OR '1'='1" -o csv
[ "$(wc -l <out)" -eq 1 ] || fail "a value was taken for SQL"
run 0 hosts --status stopped -o csv
[ "$(wc -l <out)" -eq "$("$mesh" sql "SELECT 1 FROM hosts WHERE status = 'stopped'" -o csv 2>/dev/null | wc -l)" ] ||
	fail "--status"
run 0 components --all -o csv
cp out all
run 0 components --all --where 1 -o csv
cut -d, -f1-3,5-8 all | sort >a
cut -d, -f1-3,5-8 out | sort >b
cmp -s a b || fail "components over all hosts and components differ"
run 0 components --all --where "status = 'up'" -o csv
cut -d, -f1-3,5-8 out | sort >a
run 0 sql "SELECT component AS name, version, kind, vendor, count(*) AS hosts, count(*) AS hosts_up, 0 AS hosts_dark,
	0 AS hosts_other FROM host_components WHERE status = 'up' GROUP BY entry" -o csv
cut -d, -f1-3,5-8 out | sort >b
[ "$(wc -l <b)" -gt 10 ] && cmp -s a b || fail "components over some hosts are counted otherwise than row by row"
run 0 components --unsigned --all -o csv
run 0 components --boot-start --all -o csv

# What is one product in several versions, which way versions go, who has them.
ask 0 components --multi-version --trend
shows '+7 DAYS  -7 DAYS'
run 0 components --multi-version --all -o csv
tail -n +2 out | cut -d, -f1-3 | sort >a
"$mesh" sql "SELECT name, version, kind FROM components c WHERE hosts > 0 AND EXISTS (SELECT 1 FROM components o WHERE
	o.kind = c.kind AND o.name = c.name AND o.version <> c.version AND o.hosts > 0)" -o csv 2>/dev/null |
	tail -n +2 | sort >b
[ -s a ] && cmp -s a b || fail "--multi-version does not list what has several versions"
run 0 components --trend --all -o json
grep -o '"gained_7d": [0-9]*, "lost_7d": [0-9]*' out | tr -d , | awk '{gained += $2; lost += $4} END {print gained, lost}' >a
"$mesh" sql "WITH told AS (SELECT host, entry, max(time_ms) AS last, min(time_ms) AS first FROM changes
	WHERE op IN ('added', 'removed') AND time_ms >= unixepoch() * 1000 - 7 * 86400000 GROUP BY host, entry),
	ops AS (SELECT a.op AS was, b.op AS became FROM told t JOIN hosts h ON h.host = t.host
	JOIN changes a ON a.host = t.host AND a.entry = t.entry AND a.time_ms = t.first AND a.op IN ('added', 'removed')
	JOIN changes b ON b.host = t.host AND b.entry = t.entry AND b.time_ms = t.last AND b.op IN ('added', 'removed')
	WHERE h.status NOT IN ('left', 'replaced') AND t.entry IN (SELECT entry FROM components))
	SELECT sum(was = 'added' AND became = 'added') || ' ' || sum(was = 'removed' AND became = 'removed') AS n FROM ops" \
	-o csv 2>err | tail -n 1 >b
cmp -s a b || fail "--trend says $(cat a), changes say $(cat b)"
grep -q '^[1-9][0-9]* [1-9]' a || fail "nothing was gained or lost"
run 2 components --trend --hosts
says 'leave out --where and --hosts'
ask 0 components --unsigned --hosts
run 0 components --hosts -o csv
hosts=$(tail -n +2 out | wc -l)
[ "$hosts" -eq "$("$mesh" sql "SELECT sum(hosts) FROM components WHERE third_party" -o csv 2>/dev/null | tail -n 1)" ] ||
	fail "--hosts has not one row a host and component"
# What a policy approves. Without one nothing is approved or refused, which is not the same as all being so.
ask 3 components --unapproved
shows '^No policy is in force here'
"$estate" --hosts 60 --sites 4 --seed 3 --policy --out policed >/dev/null
for where in '' '--where 1'; do
	# shellcheck disable=SC2086 # none, or two words
	run 0 components --unapproved --all --state policed -o csv $where
	tail -n +2 out | cut -d, -f1-3 | sort >a
	"$mesh" sql "SELECT name, version, kind FROM components WHERE hosts > 0 AND (NOT (ifnull(vendor, '') = 'Example Guard' OR
		name GLOB 'edr_*') OR (name = 'edr_sensor' AND version_compare(version, '5') < 0))" --state policed -o csv 2>/dev/null |
		tail -n +2 | sort >b
	[ -s a ] && cmp -s a b || fail "--unapproved $where is not what the policy leaves"
done
run 0 components --unapproved --state policed
shows '^edr_sensor .* refused$'
shows ' unapproved$'
! grep -q ' approved$' out || fail "--unapproved lists what is approved"
run 0 policy show --state policed
shows '^refused  *=  *edr_sensor  *<  *5 .*stalls at boot'
shows '^approved  *begins with  *edr_ '
shows '^approved .*Example Guard'
run 0 policy show --state policed -o json
valid
ask 0 policy show
shows '^No policy is in force here'
run 0 components --unapproved --hosts --name edr_sensor --state policed
shows '^edr_sensor  *1\..*refused$'
run 0 sql "SELECT approval, count(*) FROM components WHERE hosts > 0 GROUP BY approval" --state policed -o csv
[ "$(wc -l <out)" -eq 4 ] || fail "not all three approvals"
run 0 components --all --name 'ext*' -o json
valid
echo 'SELECT count(*) AS n FROM hosts' >question
run 0 sql --file question -o csv
[ "$(tail -n 1 out)" = 60 ] || fail "--file"
code=0
"$mesh" sql - -o csv <question >out 2>err || code=$?
[ "$code" -eq 0 ] && [ "$(tail -n 1 out)" = 60 ] || fail "standard input"
head -c 70000 /dev/zero | tr '\0' ' ' >long
code=0
"$mesh" sql - <long >out 2>err || code=$?
[ "$code" -eq 1 ] || fail "a question without end"

# Questions that are none, would write, or never end.
run 1 sql 'SELEC 1'
says 'syntax error'
run 1 sql 'SELECT no_such FROM hosts'
says 'no such column: no_such; mesh sql --schema'
run 1 sql 'SELECT ?1, ?2' --param x
says '2 parameters; values given: 1'
run 1 sql 'SELECT 1; SELECT 2'
run 1 sql ''
run 1 hosts --where 'site ='
says 'where "site =" is no condition over the table hosts: .*breaks off'
run 1 hosts --where 'no_such = 1'
! grep -q character err || fail "a character of a question that nobody typed"
run 1 hosts --where '1) UNION SELECT (1'
for write in 'DELETE FROM hosts' 'CREATE TABLE t(x)' "ATTACH 'x' AS x" 'PRAGMA journal_mode = off' \
	"SELECT load_extension('x')" "INSERT INTO hosts(name) VALUES ('x')" 'DROP TABLE hosts' VACUUM; do
	run 1 sql "$write"
done
[ ! -e x ] || fail "a file was made"
run 1 sql 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n' --timeout 2
says 'longer than 2.0 s\|more than [0-9]* steps'
# One step of the engine that takes for ever.
run 1 sql "SELECT instr(printf('%.8000000c', 'a'), printf('%.4000000c', 'a') || 'b')" --timeout 1
says 'too much processor time'
run 0 sql --schema
shows '^host_components: '
for format in json jsonl csv; do
	run 0 sql --schema -o $format
	shows 'host_components.*loaded'
done
run 0 sql --schema -o json
"$json_tool" <out || fail "the schema is no JSON"

# Whole tables.
run 0 export hosts
valid --lines
[ "$(grep -c '^{"host": ' out)" -eq 60 ] || fail "export does not list 60 hosts"
tail -n 1 out | grep -q '^{"coverage": {' || fail "an exported table without coverage"
run 0 export sites -o csv
[ "$(wc -l <out)" -eq 5 ] || fail "csv has not one line a site and one for the head"
run 0 export --dir tables
shows '^host_components  *host_components.jsonl  *[1-9]'
"$json_tool" <tables/coverage.json || fail "the exported coverage is no JSON"
for table in $("$mesh" sql --schema -o csv | cut -d, -f1 | sed 1d | uniq); do
	[ -f "tables/$table.jsonl" ] || fail "$table was not exported"
	[ ! -s "tables/$table.jsonl" ] || "$json_tool" --lines <"tables/$table.jsonl" || fail "tables/$table.jsonl is no JSON"
done
[ "$(wc -l <tables/hosts.jsonl)" -eq 60 ] || fail "not every host was exported"
run 1 export --dir tables
says 'tables/hosts.jsonl": File exists'
run 0 export --dir sheets --format csv -o json
valid
[ "$(wc -l <sheets/hosts.csv)" -eq 61 ] || fail "csv has not one line a host and one for the head"
run 2 export
run 2 export hosts --dir twice
run 2 export hosts --format csv
run 2 export "$(printf 'no\033such')"
says 'no table is called "no\\x1bsuch"'
run 2 export --dir more --format yaml

# One host.
name=$("$mesh" sql 'SELECT name FROM hosts ORDER BY host LIMIT 1' -o csv 2>/dev/null | tail -n 1)
id=$("$mesh" sql 'SELECT host FROM hosts ORDER BY host LIMIT 1' -o csv 2>/dev/null | tail -n 1)
ask 0 show "$name"
shows "  host  *$id"
ask 0 show "$id"
run 0 show "$(echo "$id" | cut -c1-12 | tr a-f A-F)"
shows "^$name is "
run 1 show ''
run 1 show "$(printf 'no\033such')"
says 'no host "no\\x1bsuch"'
run 2 show "$name" -o csv
[ "$(cut -c1 <<IDS | sort | uniq -d | head -n 1 | wc -l
$("$mesh" sql 'SELECT host FROM hosts' -o csv 2>/dev/null)
IDS
)" -eq 1 ] || fail "no two ids begin alike"
digit=$("$mesh" sql 'SELECT substr(host, 1, 1) AS d FROM hosts GROUP BY d HAVING count(*) > 1' -o csv 2>/dev/null | tail -n 1)
run 1 show "$digit"
says 'name one by its id'
grep -q "^  $digit[0-9a-f]\{31\}  " err || fail "an ambiguous id lists no candidates"

# An old replica still answers, and says so.
"$estate" --hosts 60 --sites 4 --seed 3 --out old --at 2023-11-14T22:13:20Z >/dev/null
MESH_STATE=$work/old
ask 3 hosts
shows '^PARTIAL: the replica is'
ask 0 hosts --allow-partial
ask 3 sql 'SELECT 1 AS one'
ask 3 show "$name"
run 3 status -o json
valid
shows '"running": false'
run 0 status -o json --allow-partial
run 3 status
shows '^meshd     stopped'
run 1 peers
says 'meshd is not running'
run 1 drill cut berlin
says 'meshd is not running'

# Damage is an error or left out, never a crash and never served in silence.
cp -r "$work/est" damaged
for file in damaged/replica/data.mdb; do
	size=$(stat -c %s "$file")
	head -c $((size / 3)) "$file" >short
	cp short "$file"
done
code=0
"$mesh" hosts --state damaged -o json >out 2>err || code=$?
[ "$code" -eq 1 ] || [ "$code" -eq 3 ] || fail "a replica cut short: exit code $code"
done_with 120
