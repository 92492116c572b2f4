#!/usr/bin/env bash
# How many samples of processes that live for milliseconds are whole and named: records a loop of compilations.
# Whole is a stack of gcc, cc1 or as that reaches the program's entry, with a name for each frame; or one taken inside the exit of a
# process whose memory, and with it the user stack, the kernel has freed. Below 95 % the exit code is 1. Needs root.
# Usage: bench/short-lived.sh [seconds, 10] [rate, 997]
set -euo pipefail
cd "$(dirname "$0")/.."

program=${ACTORPROFILER:-artifacts/bin/ActorProfiler/release/actorprofiler}
seconds=${1:-10}
rate=${2:-997}
work=$(mktemp -d)
loop=
cleanup() {
	[ -z "$loop" ] || kill "$loop" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

# Stripped programs: their entry is named by its offset, as is that of the dynamic linker, which begins every program.
entries=_start,_dl_start,_dl_start_user,ret_from_fork_asm
for tool in gcc as "$(gcc -print-prog-name=cc1)"; do
	path=$(readlink -f "$(command -v "$tool")")
	entries+=,${path##*/}+$(readelf -h "$path" | awk '/Entry point/ { print $4 }')
done

(while :; do gcc -O2 -c tests/testprograms/split.c -o "$work/split.o"; done) &
loop=$!
"$program" record -d "${seconds}s" --rate "$rate" -o "$work/all.pb.gz"
go tool pprof -traces -unit ns "$work/all.pb.gz" 2>/dev/null | awk -v entries="$entries" '
	BEGIN {
		count = split(entries, list, ",")
		for (i = 1; i <= count; i++) is_entry[list[i]] = 1
	}
	function end_of_stack() {
		# The outermost line is the name of the process.
		if (last == "gcc" || last == "cc1" || last == "as") {
			total += weight
			if (all ~ /\[process ended\]/) gone += weight
			else if (all ~ /\[unknown\]|\[anon\]/) unknown += weight
			else if (before in is_entry || before ~ /^ld-linux-.*\+0x/) whole += weight
			else if (all ~ / (do_group_exit|do_exit) /) exiting += weight
			else cut += weight
		}
		last = before = all = ""
	}
	function add(name) { before = last; last = name; all = all " " name " " }
	/^-----/ { end_of_stack(); next }
	/^ *[0-9.]+ns / { weight = $1 + 0; add($2); next }
	weight && NF { add($1) }
	END {
		end_of_stack()
		if (!total) { print "no samples of short-lived processes"; exit 1 }
		share = 100 * (whole + exiting) / total
		printf "%.1f %% of %.1f s in short-lived processes are whole (%.1f %% inside their exit); ", share, total / 1e9, 100 * exiting / total
		printf "not: %.1f %% cut short, %.1f %% unknown addresses, %.1f %% process not read\n", 100 * cut / total, 100 * unknown / total, 100 * gone / total
		exit share < 95
	}'
