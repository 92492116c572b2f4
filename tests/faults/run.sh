#!/usr/bin/env bash
# Runs the fault scenarios given by number, or all, and puts what they found into the table of docs/reliability.md.
# ACTORPROFILER_FAULT_SCALE multiplies how long faults last and how often they come (default 1).
set -uo pipefail
cd "$(dirname "$0")/../.."

rows=$PWD/artifacts/faults
mkdir -p "$rows"
filters=()
for scenario in "$@"; do
	filters+=(--filter-trait "scenario=$scenario")
done
[ ${#filters[@]} -gt 0 ] || rm -f "$rows"/*

status=0
ACTORPROFILER_REQUIRE_BPF=1 ACTORPROFILER_FAULT_ROWS=$rows artifacts/bin/Faults.Tests/release/ActorProfiler.Faults.Tests "${filters[@]}" || status=$?

page=docs/reliability.md
{
	sed '/<!-- rows -->/q' "$page"
	if [ ${#filters[@]} -gt 0 ]; then
		# Rows of scenarios that did not run stay as they are.
		sed -n '/<!-- rows -->/,/<!-- end -->/p' "$page" | grep '^| [0-9]' | while IFS= read -r line; do
			number=$(printf '%02d' "$(cut -d' ' -f2 <<<"$line")")
			[ -e "$rows/$number" ] || printf '%s\n' "$line" >"$rows/$number"
		done
	fi
	cat "$rows"/*
	sed -n '/<!-- end -->/,$p' "$page"
} >"$rows/.page"
cat "$rows/.page" >"$page"
exit "$status"
