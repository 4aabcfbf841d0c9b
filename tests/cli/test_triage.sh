#!/bin/sh
# mesh triage over a synthetic outage: every site with hosts that are down is there once, in the documented order, with
# reasons; a team goes in waves; what the inventory lacks is said. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

"$estate" --hosts 1200 --sites 24 --seed 3 --at 2026-11-20T12:00Z --outage content --delay 5s --share 0.9 --confounder power \
	--out est >/dev/null
MESH_STATE=$work/est
TZ=UTC
export MESH_STATE TZ

run 0 triage --allow-partial
shows '^ *# *SITE *DO *DOWN *WHY$'
shows '^ *1 .* go .*cannot trade: [0-9]* .* up of [0-9]* needed'
shows ' call .* power or link'
shows 'to mend by hand; [0-9]* sites* cannot trade$'
shows '^Coverage: '
run 3 triage

run 0 triage --allow-partial -o json
"$json_tool" <out || fail "no valid JSON"
shows '^"coverage": {'
cp out answer
run 0 sql --allow-partial -o json "SELECT site, count(*) AS down, sum(fate = 'crash') AS crash, sum(fate = 'power-or-link') AS power
	FROM hosts WHERE status IN ('dark', 'silent') GROUP BY site"
cp out down
run 0 sql --allow-partial -o json "SELECT s.site, s.up, i.needed, i.role, (SELECT count(*) FROM hosts h WHERE h.site = s.site AND
	h.status = 'up' AND h.role = i.role) AS role_up FROM sites s JOIN inventory i ON i.site = s.site WHERE i.about = 'site'"
cp out sites
cat >check.py <<'EOF'
import json
rows = json.load(open("answer"))["rows"]
down = {r["site"]: r for r in json.load(open("down"))["rows"]}
sites = {r["site"]: r for r in json.load(open("sites"))["rows"]}
assert {r["site"] for r in rows} == set(down) and len(rows) == len(down), "not each site once"
rank = ["low", "normal", "high", "vital"]
for n, r in enumerate(rows):
    d, s = down[r["site"]], sites[r["site"]]
    assert r["order"] == n + 1
    assert (r["down"], r["crash"], r["power_or_link"]) == (d["down"], d["crash"], d["power"]), r
    assert r["action"] == ("go" if d["crash"] else "call" if d["power"] else "look"), r
    assert (r["alive"], r["needed"], r["role"], r["role_up"]) == (s["up"], s["needed"], s["role"], s["role_up"]), (r, s)
    assert r["missing"] == max(0, s["needed"] - s["role_up"]), r
keys = [(["go", "call", "look"].index(r["action"]), r["missing"] == 0, -rank.index(r["criticality"]), r["opens_ms"],
         r["missing"], -r["down"], r["alive"] == 0, r["site"]) for r in rows]
assert keys == sorted(keys), "not in the documented order"
assert any(r["missing"] for r in rows) and not all(r["missing"] for r in rows)
print(len(rows), "sites")
EOF
python3 check.py || fail "not what the tables say"
checks=$((checks + 1))

run 0 triage C-00000291.sys --team 3 --minutes 30 --travel 60 --allow-partial -o json
cat >waves.py <<'EOF'
import json
rows = [r for r in json.load(open("out"))["rows"] if r["action"] == "go"]
assert rows and all(r["wave"] and r["start_ms"] >= r["opens_ms"] and 1 <= r["persons"] <= 3 for r in rows)
for r in rows:
    spent = (r["end_ms"] - r["start_ms"]) / 60000
    assert spent * r["persons"] >= 30 * r["crash"], r
first = [r for r in rows if r["wave"] == 1]
assert sum(r["persons"] for r in first) <= 3 and max(r["wave"] for r in rows) > 1
EOF
python3 waves.py || fail "the waves do not add up"
shows '"action": "call".* "wave": null'
run 0 triage --team 3 --allow-partial
shows '^ *# *SITE *DO *DOWN *WAVE *FROM *TO'

# Without an inventory all of it is a gap, and still there is an order.
run 0 sql --allow-partial "SELECT site FROM hosts WHERE status = 'dark' LIMIT 1" -o csv
site=$(sed -n 2p out)
run 0 triage --where "site = '$site'" --allow-partial -o json
[ "$(grep -c '"order": ' out)" -eq 1 ] || fail "--where lets other sites through"
run 0 triage --where '0' --allow-partial -o json
shows '^{"rows": \[\]'
run 2 triage --team 0
run 1 triage --where nonsense
says 'nonsense'
done_with 11
