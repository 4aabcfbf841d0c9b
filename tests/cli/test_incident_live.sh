#!/bin/sh
# An incident with real daemons in two sites: two operators on both sides of a cut, and one of them on both, claim and
# finish different hosts and the same; once it is healed all see one merged list, and who collided. Proven back is what
# hosts do, not what is said.
set -eu
. "$(dirname -- "$0")/lib.sh"
. "$(dirname -- "$0")/live.sh"

run 0 authority init --dir a --name Trial --no-passphrase
run 0 authority issuer i --dir a
umask 077
for name in jo al eve; do
	run 0 operator init $name.key --no-passphrase
done
run 0 authority operator jo --dir a --role incidents --public-key jo.key.pub
run 0 authority operator al --dir a --role incidents --public-key al.key.pub
run 0 authority operator eve --dir a --role inventory --public-key eve.key.pub
run 0 token create --dir a --issuer i --seed "$seed" --out t
for n in 1 2 3 4; do
	enrol $n t "$([ $n -le 2 ] && echo berlin || echo leeds)"
	printf '[drill]\nenabled = yes\n' >>n$n.conf
	start $n
done
for n in 1 3; do
	until_shows '^4$' sql "SELECT count(*) FROM hosts WHERE complete = 1 AND status = 'up'" --state n$n -o csv
done

# What is no term, is too much, or may not be said.
run 2 incident open
run 2 incident open x --match 'colour = red' --key jo.key --state n1
says '"colour = red": no field of that name'
run 2 incident open x --match 'version 7' --key jo.key --state n1
says 'an operator is missing'
run 2 incident open x --match 'size = big' --key jo.key --state n1
says 'this field is a number'
run 2 incident open x --match "name = 'x" --key jo.key --state n1
says 'its quote is not closed'
run 2 incident open x --key jo.key --state n1 --match 'os=1 and os=2 and os=3 and os=4 and os=5 and os=6 and os=7 and os=8' --match 'os=9'
says 'more than eight terms'
run 1 incident open x --key eve.key --state n1
says 'operator "eve" has not the role "incidents"'
run any incident list --state n1
shows '^No incident is open'
run 1 incident show 12 --state n1
says 'no incident "12" is known here'

run 0 incident open "bad kernel $(printf '\033[31m')<b>" --match "kind = kernel and hostname ^= 'node-'" --good 'status = up' \
	--key jo.key --state n1 -o json
"$json_tool" <out || fail "incident open is no JSON"
id=$(sed -n 's/.*"incident": "\([0-9a-f]*\)".*/\1/p' out)
[ "${#id}" -eq 16 ] || fail "no id"
short=$(echo "$id" | cut -c 1-8)
until_shows "^$id," incident list --state n3 -o csv
run any incident show "$short" --state n3
shows '^0 hosts on the list'
! grep -q "$(printf '\033')" out || fail "an escape sequence of the text came through"
shows "^Match  *kind = 'kernel' and hostname begins with 'node-'$"

# Two hosts crash.
kill -9 "$(cat n2.pid)" "$(cat n4.pid)"
for n in 1 3; do
	until_shows '^down  *2  *2  *0  *0  *0$' incident show "$short" --state n$n
done
[ "$(wc -L <out)" -le 80 ] || fail "wider than 80 columns"

# The sites lose sight of each other. On both sides people go on.
run 0 drill cut leeds --state n1
run 0 drill cut berlin --state n3
run 0 incident claim "$short" node-2 node-4 --key jo.key --state n1
shows '^2 claimed.$'
run 0 incident done "$short" node-2 --text swapped --key jo.key --state n1
run 0 incident claim "$short" node-4 --key al.key --state n3
run 0 incident done "$short" node-4 --key al.key --state n3
run 0 incident claim "$short" --site leeds --key al.key --state n3
# jo has another machine, on the other side, and says there later that it is not done.
run 0 incident block "$short" node-2 --text 'no recovery key' --key jo.key --state n3
run 1 incident claim "$short" node-9 --key jo.key --state n1
says 'no host "node-9"'
run 2 incident claim "$short" --key jo.key --state n1
run 1 incident claim "$short" --site york --key jo.key --state n1
run any sql "SELECT count(*) FROM claims" --state n1 -o csv
[ "$(tail -n 1 out)" = 3 ] || fail "the cut lets claims through: $(cat out)"
run any sql "SELECT count(*) FROM claims" --state n3 -o csv
[ "$(tail -n 1 out)" = 4 ] || fail "the cut lets claims through: $(cat out)"

# Healed: nothing is lost, both see the same, and who collided.
run 0 drill heal leeds --state n1
run 0 drill heal berlin --state n3
list="SELECT host_name, site, operator, op, stands, text FROM claims ORDER BY host_name, site, operator, time_ms"
for n in 1 3; do
	until_shows '^7$' sql "SELECT count(*) FROM claims" --state n$n -o csv
	run any sql "$list" --state n$n -o csv
	cp out claims$n
	until_shows '^  node-4: al, jo$' incident show "$short" --state n$n
	shows '^COLLISIONS: 1 taken by several$'
	shows '^down  *2  *0  *0  *1  *1$'
	shows '^BLOCKED: 1$'
	shows '^  node-2 (berlin): no recovery key$'
	run any incident show "$short" --hosts --state n$n -o csv
	cut -d, -f1,2,6-9 out >hosts$n
done
cmp claims1 claims3 || fail "claims differ after the heal"
cmp hosts1 hosts3 || fail "work lists differ after the heal"
grep -q '^node-2,berlin,jo,done,0,swapped$' claims1 || fail "what was said on one side is lost: $(cat claims1)"
grep -q '^node-2,berlin,jo,blocked,1,no recovery key$' claims1 || fail "the later word does not stand: $(cat claims1)"
grep -q '^leeds,node-4,down,done,"al, jo"$' hosts1 || fail "list: $(cat hosts1)"
run 0 incident claim "$short" node-4 --key jo.key --state n3
shows '^COLLISION: al has '

# Said is not proven: node 4 stays down. Node 2 returns, whatever is said of it.
start 2
until_shows '^proven back  *1  *0  *0  *1  *0$' incident show "$short" --state n3
shows '^down  *1  *0  *0  *0  *1$'
run any incident show "$short" --state n3 -o json
"$json_tool" <out || fail "incident show is no JSON"
shows '"coverage": {'
shows '"collisions": \[{"about": "host", "name": "node-4", "operators": "al, jo"}\]'
shows '"forecast": {"is": "unknown"'
shows '"hit": 2, "proven_back": 1, "said_done": 1}'
# It crashes again: a relapse.
kill -9 "$(cat n2.pid)"
until_shows '^2 hosts on the list. 1 came back and went down again.' incident show "$short" --state n1
start 2
start 4
until_shows '^97 % are proven back since' incident show "$short" --state n1
until_shows '^proven back  *2 ' incident show "$short" --state n1

run 0 incident note "$short" 'key is in the safe' --site leeds --key al.key --state n3
until_shows '^key is in the safe,site,leeds$' sql "SELECT text, about, site FROM notes" --state n1 -o csv
run 0 incident release "$short" node-4 --key jo.key --state n1
until_shows '^1$' sql "SELECT count(*) FROM claims WHERE op = 'release'" --state n3 -o csv
run any incident show "$short" --state n3
shows '^proven back  *2  *0  *0  *1  *1$'
! grep -q COLLISIONS out || fail "a collision of what was given back"
run 0 report "$short" --state n1 --html --allow-partial
shows '^<!DOCTYPE html>'
shows '&lt;b&gt;'
! grep -qi '<b>\|<script\|http://\|https://' out || fail "the page does not stand alone"
run 0 report "$short" --state n1 --allow-partial
shows '^Coverage: '
run 0 incident close "$short" --text 'all back' --key al.key --state n3
until_shows '^Closed .* by al$' incident show "$short" --state n1
run 1 incident claim "$short" node-4 --key jo.key --state n1
says 'is closed'
run any incident list --state n1
shows '^No incident is open'
done_with 60
