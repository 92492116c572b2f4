#!/usr/bin/env bash
# Fuzzes parsers of foreign bytes, guided by coverage (SharpFuzz and AFL++), FUZZ_SECONDS (60) each; fails when an input breaks one.
# Found inputs stay in artifacts/fuzz/TARGET/found: mend the parser and keep them in tests/Collector.Tests/testdata/fuzz/TARGET.
# Usage: tests/fuzz/fuzz.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-60}
work=$PWD/artifacts/fuzz
program=$work/program
plain=artifacts/bin/Fuzz/release/ActorProfiler.Fuzz.dll # instrumented code runs under afl-fuzz only
export DOTNET_TieredPGO=0 AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1
export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 # core_pattern does not matter: the fuzzed process reports its exceptions itself

rm -rf "$program"
mkdir -p "$work"
cp -r "$(dirname "$plain")" "$program"
dotnet tool restore >/dev/null
dotnet sharpfuzz "$program/ActorProfiler.Collector.dll"

# Programs as seeds: small, since afl-fuzz takes no more than 1 MiB.
elf_seeds() { # folder
	cat >"$1/source.c" <<-'C'
		static inline int inner(int x) { return x * 3; }
		int outer(int x) { return inner(x) + 1; }
		void _start(void) { outer(2); }
	C
	gcc -g -O1 -nostdlib -static -o "$1/static" "$1/source.c"
	gcc -gdwarf-4 -gz -O1 -nostdlib -shared -fPIC -o "$1/compressed" "$1/source.c"
	rm "$1/source.c"
}
go_seeds() { # folder
	printf 'package main\n\nfunc main() { println("x") }\n' >"$1/main.go"
	GO111MODULE=off GOCACHE=$work/go-cache CGO_ENABLED=0 go build -ldflags='-s -w' -o "$1/program" "$1/main.go"
	objcopy --only-section=.gopclntab --only-section=.noptrdata --only-section=.note.go.buildid "$1/program" "$1/tables" 2>/dev/null
	rm "$1/main.go" "$1/program"
}

targets=("$@")
[ ${#targets[@]} -gt 0 ] || read -ra targets < <(dotnet "$plain" 2>&1 | sed -n 's/.*targets: //p' | tr -d ,)
failed=0
for target in "${targets[@]}"; do
	folder=$work/$target
	rm -rf "$folder"
	mkdir -p "$folder/seeds"
	dotnet "$plain" "$target" --seeds "$folder/seeds"
	case $target in
	dwarf | elf | frames | symbols) elf_seeds "$folder/seeds" ;;
	go) go_seeds "$folder/seeds" ;;
	esac
	[ ! -d "tests/Collector.Tests/testdata/fuzz/$target" ] || cp "tests/Collector.Tests/testdata/fuzz/$target"/* "$folder/seeds"
	if ! afl-fuzz -i "$folder/seeds" -o "$folder/out" -t 10000 -m none -V "$seconds" -- dotnet "$program/ActorProfiler.Fuzz.dll" "$target" --afl >"$folder/log" 2>&1; then
		tail -n 20 "$folder/log" >&2
		echo "fuzz: $target did not run: see $folder/log" >&2
		failed=1
		continue
	fi
	state() { sed -n "s/^$1 *: //p" "$folder/out/default/fuzzer_stats"; }
	mkdir -p "$folder/found"
	find "$folder/out/default/crashes" "$folder/out/default/hangs" -name 'id:*' -exec cp {} "$folder/found" \;
	echo "$target: $(state execs_done) inputs in $seconds s, $(state corpus_count) kept, $(state edges_found) branches, $(state saved_crashes) crashes, $(state saved_hangs) hangs"
	[ -z "$(ls "$folder/found")" ] || failed=1
done
exit $failed
