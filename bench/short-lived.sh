#!/usr/bin/env bash
# How many samples of processes that live for a moment are named: records a loop of compilations.
# Prints the share of the compiler's CPU time in stacks that were walked and named; below 95 % the exit code is 1. Needs root.
# Usage: bench/short-lived.sh [seconds, 10]
set -euo pipefail
cd "$(dirname "$0")/.."

program=${ACTORPROFILER:-artifacts/bin/ActorProfiler/release/actorprofiler}
seconds=${1:-10}
work=$(mktemp -d)
loop=
cleanup() {
	[ -z "$loop" ] || kill "$loop" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

(while :; do gcc -O2 -c tests/testprograms/split.c -o "$work/split.o"; done) &
loop=$!
"$program" record -d "${seconds}s" --rate 997 -o "$work/all.pb.gz"
go tool pprof -traces -unit ns "$work/all.pb.gz" 2>/dev/null | awk '
	function end_of_stack() {
		if (stack ~ / (toplev::main|cc1_|main|_start|do_compile|as_main|__libc_start_main|_dl_start|\[process ended\])/ || stack ~ /cc1\+0x|as\+0x|collect2|\[process ended\]/) {
			total += weight
			if (stack ~ /\[process ended\]|\[unknown\]|\[anon\]/) missed += weight
		}
		stack = ""
	}
	/^-----/ { end_of_stack(); next }
	/^ *[0-9.]+ns / { weight = $1 + 0; $1 = ""; stack = " " $0; next }
	stack != "" { $1 = $1; stack = stack " " $0 }
	END {
		end_of_stack()
		if (!total) { print "no samples of short-lived processes"; exit 1 }
		share = 100 * (total - missed) / total
		printf "%.1f %% of %.1f s in short-lived processes are named\n", share, total / 1e9
		exit share < 95
	}'
