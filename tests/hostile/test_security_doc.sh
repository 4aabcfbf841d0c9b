#!/bin/sh
# Usage: test_security_doc.sh SECURITY.MD BENCH SIM TEST...: every test that the threat model names exists. Of the tables of
# sections 3 to 5 the last column is read: `mesh-hostile NAME`, `mesh-sim NAME`, `scripts/bench NAME`, unit or other test `NAME`.
set -eu
document=$1
bench=$2
sim=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$@" >"$work/tests"
sed -n '/^## 3\./,/^## 6\./s/^|.*| \([^|]*\) |$/\1/p' "$document" | grep -o '`[^`]*`' | tr -d '`' >"$work/tables"
# In the text: unit `NAME`, mesh-hostile NAME.
grep -oE 'unit `[a-z_]+`|`mesh-hostile [a-z_]+`' "$document" | sed 's/^unit //' | tr -d '`' >"$work/text"
sort -u "$work/tables" "$work/text" >"$work/named"
"$sim" --list >"$work/scenarios"
missing=0
count=0
# A line without a test says why there can be none.
if sed -n '/^## 3\./,/^## 6\./p' "$document" | grep -E '\| *[-–—]? *\|$'; then
	echo "docs/security.md names no test here"
	missing=1
fi
while read -r name; do
	count=$((count + 1))
	case $name in
	tests/* | packaging/*) [ -e "$(dirname "$document")/../$name" ] ;;
	scripts/bench\ *) grep -q "${name#scripts/bench }" "$bench" ;;
	mesh-sim\ *) grep -qw "${name#mesh-sim }" "$work/scenarios" ;;
	*) grep -qx "${name#mesh-hostile }" "$work/tests" ;;
	esac || {
		echo "docs/security.md names \"$name\", which is no test"
		missing=1
	}
done <"$work/named"
echo "$count tests named"
[ "$count" -gt 60 ] && [ "$missing" -eq 0 ]
