#!/bin/sh
# Manual pages and completion in the repository equal what the verb table makes; every verb has its help.
# With --update as the fourth argument the files are written anew.
set -eu
. "$(dirname -- "$0")/lib.sh"

# page FILE ARGUMENT...: FILE of the repository must hold what `mesh help ARGUMENT...` prints.
page() {
	file=$root/$1
	shift
	run 0 help "$@"
	[ -s out ] || fail "mesh help $* prints nothing"
	if [ "${update-}" = yes ]; then
		cp out "$file"
	fi
	cmp -s out "$file" || fail "$file is not what the verb table says; renew it with: $0 MESH JSON_TOOL ROOT --update"
}

[ "${4-}" != --update ] || update=yes
run 0 --help
verbs=$(sed -n '/^Verbs:/,/^$/s/^  \(..................\) .*/\1/p' out | sed 's/ *$//')
[ "$(echo "$verbs" | wc -l)" -ge 23 ] || fail "the overview lists too few verbs"

page docs/man/mesh.1 --man
page packaging/completions/mesh --completion bash
echo "$verbs" >verbs
pages=1
while read -r verb; do
	# shellcheck disable=SC2086 # a verb may be two words
	page "docs/man/mesh-$(echo "$verb" | tr ' ' -).1" --man $verb
	# shellcheck disable=SC2086
	run 0 $verb --help
	grep -q "^Usage: mesh $verb" out || fail "$verb --help has no usage line"
	grep -q "^Exit codes:" out || fail "$verb --help has no exit codes"
	[ "$(wc -L <out)" -le 80 ] || fail "$verb --help is wider than 80 columns"
	cp out long
	# shellcheck disable=SC2086
	run 0 help $verb
	cmp -s out long || fail "mesh help $verb and mesh $verb --help differ"
	# shellcheck disable=SC2086
	run 0 $verb -h --no-such-option
	pages=$((pages + 1))
done <verbs
[ "$(ls "$root"/docs/man/*.1 | wc -l)" -eq "$pages" ] || fail "docs/man has pages of verbs that are gone"

if command -v bash >/dev/null; then
	# What a person gets who types these and presses the tab key.
	complete() {
		COMPLETE_WORDS="$*" bash -c '. "$1"; COMP_WORDS=($COMPLETE_WORDS); [ "${COMPLETE_WORDS% }" = "$COMPLETE_WORDS" ] ||
			COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }; _mesh; echo "${COMPREPLY[*]}"' \
			bash "$root/packaging/completions/mesh"
	}
	[ "$(complete mesh hos)" = hosts ] || fail "completion of hos: $(complete mesh hos)"
	[ "$(complete "mesh authority ")" = "init issuer extend operator rotate revoke log publish" ] || fail "completion of authority: $(complete "mesh authority ")"
	[ "$(complete mesh hosts --sta)" = "--status --standing --state" ] || fail "completion of --sta: $(complete mesh hosts --sta)"
	[ "$(complete mesh hosts -o js)" = "json jsonl" ] || fail "completion of -o js: $(complete mesh hosts -o js)"
	[ "$(complete mesh authority init --no)" = "--no-passphrase" ] || fail "completion of init --no"
fi
done_with 40
