#!/usr/bin/env bash
# The first of the two commands, as a stranger meets it: its flags, its JSON, its counts, its end.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d /tmp/calloff-test.XXXXXX)
demo_pid=''
cleanup() {
	[ -z "$demo_pid" ] || kill -TERM "$demo_pid" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "FAIL: $*"
	tail -n 15 "$work/err" 2>/dev/null || true
	exit 1
}
expect_usage() {
	local status=0
	"$root/clients/demo" "$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" -eq 64 ] || fail "$* ends with $status, not 64"
	[ ! -s "$work/out" ] || fail "$* writes to stdout"
}
# The ids in a process's tree: what a demo that is running has started.
family() {
	local child
	for child in $(cat /proc/"$1"/task/*/children 2>/dev/null || true); do
		echo "$child"
		family "$child"
	done
}
wait_for() {
	local tenths=600
	until grep -q "$1" "$work/err"; do
		tenths=$((tenths - 1))
		[ "$tenths" -gt 0 ] || fail "no \"$1\" in a minute"
		kill -0 "$demo_pid" 2>/dev/null || fail "the demonstration ended before \"$1\""
		sleep 0.1
	done
}

flags() {
	expect_usage --bogus
	expect_usage --packages
	expect_usage --packages 0
	expect_usage --packages abc
	expect_usage --seed -1
}

# From another folder, with settings that would lead elsewhere: one JSON object on stdout that adds up.
json() {
	(cd / && PGHOST=/nowhere PGPORT=1 CALLOFF_SHARD=9 "$root/clients/demo" --json --ephemeral --packages 60 --seed 7) \
		>"$work/out" 2>"$work/err" || fail 'the demonstration failed'
	python3 - "$work/out" <<-'PYTHON' || fail 'the JSON is not as promised'
	import json, sys
	lines = open(sys.argv[1]).read().splitlines()
	assert len(lines) == 1, "one line"
	day = json.loads(lines[0])
	assert day["submitted"] == 60 == day["placed"] + day["polr"] + day["unsourced"], day
	assert 0 < day["framework_share"] <= 1 and day["wall_ms"] > 0, day
	assert 0 < day["submit_p50_us"] <= day["submit_p99_us"], day
	assert day["agrees_with_sql"] and day["answers"] == "SIMULATED", day
	PYTHON
	grep -q SIMULATED "$work/err" || fail 'the summary does not say SIMULATED'
}

# A second run is refused while one serves; after Ctrl-C nothing of the first is left.
serve() {
	local processes process status=0
	env --default-signal=INT "$root/clients/demo" --serve --ephemeral >"$work/out" 2>"$work/err" &
	demo_pid=$!
	wait_for 'The engine runs until Ctrl-C'
	"$root/clients/demo" --ephemeral >"$work/second" 2>&1 && fail 'a second run was not refused'
	grep -q 'another clients/demo is running' "$work/second" || fail 'the second run does not say why it is refused'
	processes=$(family "$demo_pid")
	[ -n "$processes" ] || fail 'its processes cannot be listed'
	kill -INT "$demo_pid"
	wait "$demo_pid" || status=$?
	demo_pid=''
	[ "$status" -eq 130 ] || fail "after Ctrl-C it ends with $status, not 130"
	for process in $processes; do
		! kill -0 "$process" 2>/dev/null || fail "process $process is left: $(tr '\0' ' ' <"/proc/$process/cmdline")"
	done
}

flags
json
serve
echo 'demo: as promised'
