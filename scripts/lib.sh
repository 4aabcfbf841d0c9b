# Shared by the scripts of this folder: sourced, never run. POSIX sh.
# shellcheck shell=sh

MESH_ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

PACKAGES_BUILD="gcc libc6-dev meson ninja-build pkg-config libuv1-dev libsodium-dev liblmdb-dev \
libmsgpack-dev libsqlite3-dev libxxhash-dev libinih-dev libkmod-dev libcmocka-dev"
PACKAGES_TEST="clang libclang-rt-14-dev binutils python3-minimal python3-nacl python3-msgpack"

say() {
	printf '%s\n' "$*"
}

# usage STATUS: the line "# Usage: ..." at the head of the script; asked for it is no error.
usage() {
	line=$(sed -n 's/^# Usage: //p' "$0")
	[ "$1" -ne 0 ] || say "usage: $line"
	[ "$1" -eq 0 ] || say "usage: $line" >&2
	exit "$1"
}

die() {
	printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
	exit 1
}

# install PACKAGE...: what is missing, as root or through sudo; says what it installs.
install() {
	missing=
	for package in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) missing="$missing $package" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 ||
			die "these packages are missing and neither root nor sudo is at hand:$missing
Ask an administrator for: apt-get install$missing"
		as_root=sudo
	fi
	say "Installing with apt-get:$missing"
	# shellcheck disable=SC2086
	$as_root apt-get update -qq >/dev/null &&
		$as_root env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
		die "apt-get failed; run it by hand to see why: apt-get install$missing"
}

# build FOLDER [MESON-OPTION...]: configure once, then build; quiet unless it fails.
build() {
	folder=$1
	shift
	if [ ! -f "$folder/build.ninja" ]; then
		log=$(meson setup "$folder" "$MESH_ROOT" "$@" 2>&1) || {
			say "$log"
			die "meson setup $folder failed"
		}
	fi
	log=$(ninja -C "$folder" 2>&1) || {
		say "$log"
		die "the build in $folder failed"
	}
}
