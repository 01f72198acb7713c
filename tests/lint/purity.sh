#!/bin/sh
# purity.sh CORE.a BASE.a WIRE.a STORE.a: what the linker can prove about the layers.
# The core does no I/O, reads no clock, uses no randomness and no allocator: its symbols are its own, base's (not
# mem.o's), or one of a few of libc's. The wire adds snprintf. The store never calls libuv itself: pg does.
set -eu
core=$1 base=$2 wire=$3 store=$4
bad=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

defined() { # symbols an archive defines, without those of the object named second
	nm --defined-only "$1" 2>/dev/null | awk -v skip="${2:-}" '
		/:$/ { object = $0; sub(/:$/, "", object); next }
		NF == 3 && (skip == "" || object !~ skip) { print $3 }' | sort -u
}
needed() {
	nm -u "$1" 2>/dev/null | awk '$1 == "U" { print $2 }' | sort -u
}
compiler() { # what compilers and sanitizers add by themselves
	grep -vE '^(__stack_chk_fail|__(asan|ubsan|tsan|msan|sanitizer|sancov|gcov|afl)_.*|_GLOBAL_OFFSET_TABLE_|__popcountdi2)$' || true
}
check() { # name archive allowed-symbols-file libc-words
	needed "$2" | compiler >"$work/needs"
	printf '%s\n' $4 | sort -u >"$work/libc"
	sort -u "$3" "$work/libc" >"$work/may"
	for s in $(comm -23 "$work/needs" "$work/may"); do
		echo "$1 needs forbidden symbol: $s"
		bad=1
	done
}

libc="memcpy memset memcmp memmove strlen strcmp bcmp"
{ defined "$core"; defined "$base" 'mem\.c\.o'; } >"$work/core"
[ -s "$work/core" ] || { echo "no symbols in $core"; exit 1; }
check core "$core" "$work/core" "$libc"

{ defined "$core"; defined "$wire"; defined "$base" 'mem\.c\.o'; } >"$work/wire"
needed "$wire" | grep -E '^(calloff__v1__|protobuf_c_)' >>"$work/wire"
check wire "$wire" "$work/wire" "$libc snprintf __snprintf_chk memchr"

for s in $(needed "$store" | grep -E '^uv_' || true); do
	echo "store needs $s: only pg and net and server talk to libuv"
	bad=1
done
exit $bad
