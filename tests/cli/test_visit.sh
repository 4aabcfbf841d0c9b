#!/bin/sh
# mesh visit over a synthetic outage: all that is down at the site is on the sheet, in every form the same; what hosts
# and operators wrote is text and nothing else. No daemon runs.
set -eu
. "$(dirname -- "$0")/lib.sh"
estate=$tool

"$estate" --hosts 600 --sites 6 --seed 5 --at 2026-11-20T12:00Z --outage content --delay 5s --share 0.9 --out est >/dev/null
MESH_STATE=$work/est
TZ=UTC
export MESH_STATE TZ
run 0 sql --allow-partial -o csv "SELECT site FROM hosts WHERE fate = 'crash' GROUP BY site ORDER BY count(*) DESC LIMIT 1"
site=$(sed -n 2p out | tr -d '\r')
run 0 sql --allow-partial -o jsonl "SELECT host, name FROM hosts WHERE site = '$site' AND status IN ('dark', 'silent')"
sed -n 's/^{"host": "\([0-9a-f]*\)".*/\1/p' out | sort >down
sed -n 's/.*"name": "\([^"]*\)".*/\1/p' out | sort >names
count=$(wc -l <down)
[ "$count" -gt 5 ] || fail "nothing is down at $site"

run 0 visit "$site" --allow-partial -o json
"$json_tool" <out || fail "no valid JSON"
sed -n 's/.*{"host": "\([0-9a-f]*\)".*/\1/p' out | sort >said
cmp -s down said || fail "not what is down"
shows '"recovery_key": "vault, folder [0-9]*"'
shows '^"coverage": {'

run 0 visit "$site" --allow-partial
shows "^VISIT $site "
shows "^$count to look after; "
shows '^Address  *[0-9]'
shows '^Opening hours  *M'
shows 'remove or replace'
shows 'that alone proves nothing'
[ "$(grep -c '^ *\[ \] found   \[ \] mended   \[ \] up again   ___' out)" -eq "$count" ] || fail "not a line to tick each"
sed -n 's/^\[ \] *[0-9]*\. //p' out | sort >said
cmp -s names said || fail "not the names of what is down"
shows '^Coverage: '
[ "$(sed '/^Coverage: /,$d' out | awk 'length > 80' | wc -l)" -eq 0 ] || fail "wider than a page"
run 3 visit "$site"

# What hosts have that are off: not to be switched on.
run 0 sql --allow-partial -o csv "SELECT site, count(*) FROM hosts WHERE status IN ('stopped', 'asleep') AND host IN (SELECT host
	FROM host_components WHERE component LIKE '%C-00000291.sys') GROUP BY site ORDER BY 2 DESC LIMIT 1"
other=$(sed -n 2p out | tr -d '\r')
[ "${other##*,}" -gt 0 ] || fail "nothing is at risk if started"
run 0 visit "${other%,*}" --component C-00000291.sys --allow-partial -o json
[ "$(grep -c 'DO NOT SWITCH IT ON' out)" -eq "${other##*,}" ] || fail "other hosts are at risk"

# A page by itself: well formed, each host once, nothing loaded, nothing that a site's or component's name smuggles in.
run 0 visit "$site" --html --allow-partial --component 'C-00000291.sys'
cp out page.html
cat >check.py <<'EOF'
import html.parser, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.names, self.here = [], [], False
    def handle_starttag(self, tag, attrs):
        assert tag in ("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "dl", "dt", "dd", "ol", "li", "span"), tag
        assert tag == "meta" or all(k in ("class", "lang") for k, _ in attrs), attrs
        if tag != "meta":
            self.open.append(tag)
        if tag == "h2":
            self.here = True
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        self.here = self.here and tag != "h2"
    def handle_data(self, data):
        if self.here and data.strip():
            self.names.append(data)
p = Page()
p.feed(open(sys.argv[1]).read())
assert not p.open
names = {line.strip() for line in open("names")}
assert names <= set(p.names), names - set(p.names)
EOF
python3 check.py page.html || fail "no good page"
run 0 visit "$site" --html --allow-partial --component '<script>"x"&'
! grep -q '<script' out || fail "what was given is taken for markup"
shows '&lt;script&gt;&quot;x&quot;&amp;'
python3 check.py out || fail "no good page"

run 1 visit nowhere
says 'no site "nowhere"'
run 2 visit
run 2 visit "$site" --html -o json
run 1 visit "$site" --where nonsense
says 'nonsense'
done_with 13
