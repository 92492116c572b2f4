#!/usr/bin/env bash
# Runs every test program of tests/, of the faults the fast ones, and prints, last, "N passed, N failed, N skipped". The counts are read from the report
# each program writes, never from what it prints, which differs by terminal and by CI. Status 8 is "every test was skipped". What failed is repeated at the
# end, where it is seen though only the last lines of a log are kept.
set -uo pipefail
cd "$(dirname "$0")/.."

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
passed=0 failed=0 skipped=0
for name in $(basename -a tests/*.Tests) Faults.Tests; do
	some=()
	[ "$name" != Faults.Tests ] || some=(--filter-trait speed=fast)
	status=0
	"artifacts/bin/$name/release/ActorProfiler.$name" --no-ansi --ignore-exit-code 8 --results-directory "$reports" \
		--report-xunit-xml --report-xunit-xml-filename "$name.xml" "${some[@]}" || status=$?
	summary=$(grep -o '<assembly [^>]*>' "$reports/$name.xml" | head -n 1)
	count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$summary"; }
	if [ -z "$(count total)" ]; then
		echo "$name: the test program ended with status $status and left no report" >&2
		failed=$((failed + 1))
		continue
	fi
	unsuccessful=$(($(count failed) + $(count errors)))
	if [ "$status" -ne 0 ] && [ "$unsuccessful" -eq 0 ]; then
		echo "$name: the test program ended with status $status though no test failed" >&2
		unsuccessful=1
	fi
	passed=$((passed + $(count passed)))
	failed=$((failed + unsuccessful))
	skipped=$((skipped + $(count skipped)))
done

[ "$failed" -eq 0 ] || python3 eng/failed-tests.py "$reports"/*.xml
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
