#!/usr/bin/env bash
# Runs every test program of tests/ and prints, last, "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0 skipped=0 broken=0
for project in tests/*.Tests; do
	name=$(basename "$project")
	program=artifacts/bin/$name/release/ActorProfiler.$name
	log=$(mktemp)
	"$program" 2>&1 | tee "$log"
	count() { sed -n "s/^ *$1: \([0-9]*\)$/\1/p" "$log" | tail -n 1; }
	if [ -z "$(count total)" ]; then
		echo "$name: the test program ended without a summary" >&2
		broken=$((broken + 1))
	fi
	passed=$((passed + $(count succeeded || echo 0) + 0))
	failed=$((failed + $(count failed || echo 0) + 0))
	skipped=$((skipped + $(count skipped || echo 0) + 0))
	rm -f "$log"
done

failed=$((failed + broken))
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
