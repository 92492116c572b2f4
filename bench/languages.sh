#!/usr/bin/env bash
# How whole and how well named stacks are, by language and form, with perf (frame pointers; copies of the stack) beside it.
# Writes the table of docs/languages.md. Each program spends 60 : 30 : 10 of its CPU in sortRows, hashRows and writeRows below runQuery.
# Needs root. A language that is not installed is left out.
# Usage: bench/languages.sh [FORM...]     such as "go stripped"; prints the table
set -euo pipefail
cd "$(dirname "$0")/.."

program=$PWD/${ACTORPROFILER:-artifacts/bin/ActorProfiler/release/actorprofiler}
sources=$PWD/tests/testprograms
dotnet_program=$(ls "$PWD"/artifacts/bin/SplitDotNet/*/SplitDotNet.dll 2>/dev/null | tail -n 1 || true)
seconds=${SECONDS_EACH:-5} # at 997 Hz the standard error of a share of 60 % is 0.7 points, if the program has a CPU to itself
work=$(mktemp -d)
busy=
cleanup() {
	[ -z "$busy" ] || kill "$busy" 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT
export GO111MODULE=off GOCACHE=$work/go-cache

have() { command -v "$1" >/dev/null; }
cc_form() { gcc -O2 "$@" -o "$work/split" "$sources/split.c"; }
musl_form() { musl-gcc -O2 "$@" -o "$work/split" "$sources/split.c"; }
cpp_form() { g++ -O2 "$@" -o "$work/split" "$sources/split.cpp"; }
rust_form() { rustc -O "$@" -o "$work/split" "$sources/split.rs"; }
go_form() { (cd "$work" && go build "$@" -o split "$sources/split.go"); }

# A perf map tells functions, not the calls inlined into them.
not_inlined=-XX:CompileCommand=dontinline,Split::*

# Form | tool it needs | build | command. "stripped" forms are judged by their chain only: they have no names to look for.
forms() {
	cat <<-FORMS
		C, frame pointers|gcc|cc_form -fno-omit-frame-pointer|$work/split
		C|gcc|cc_form -fomit-frame-pointer|$work/split
		C, stripped|gcc|cc_form -fomit-frame-pointer -s|$work/split
		C, static|gcc|cc_form -static|$work/split
		C, musl|musl-gcc|musl_form -fomit-frame-pointer|$work/split
		C, musl, frame pointers|musl-gcc|musl_form -fno-omit-frame-pointer|$work/split
		C, musl, static|musl-gcc|musl_form -static|$work/split
		C++, frame pointers|g++|cpp_form -fno-omit-frame-pointer|$work/split
		C++|g++|cpp_form|$work/split
		C++, stripped|g++|cpp_form -s|$work/split
		Rust, frame pointers|rustc|rust_form -C force-frame-pointers=yes|$work/split
		Rust|rustc|rust_form|$work/split
		Rust, stripped|rustc|rust_form -C strip=symbols|$work/split
		Go|go|go_form|$work/split
		Go, stripped|go|go_form -ldflags=-s\ -w|$work/split
		Go, cgo|go|cgo_form|$work/split
	FORMS
	local python command
	for python in python3.8 python3.11 python3.12 python3.13; do
		if python=$(find_python "$python"); then
			echo "$("$python" --version | cut -d. -f1,2)|$python|true|$python $sources/split.py"
		fi
	done
	cat <<-FORMS
		Python in uWSGI|uwsgi|true|uwsgi --plugin python3 --pyrun $sources/split.py --pyargv
		Python in a C program|/usr/bin/python3-config|embed_form|$work/embed $sources/split.py
	FORMS
	for python in 3.11 3.13; do
		echo "Python $python, musl|musl-gcc|musl_python $python shared|$work/musl-python $sources/split.py"
		echo "Python $python, musl, static|musl-gcc|musl_python $python static|$work/musl-python $sources/split.py"
	done
	for python in 3.14 3.15; do
		if command=$(bench/newer-python.sh "$python" 2>/dev/null); then
			echo "Python $python|true|true|$command $sources/split.py"
		fi
	done
	cat <<-FORMS
		.NET $(dotnet --version 2>/dev/null | cut -d. -f1)|dotnet|true|dotnet $dotnet_program
		Java, frame pointers|javac|javac -d $work $sources/Split.java|java -XX:+PreserveFramePointer $not_inlined -cp $work Split
		Java|javac|javac -d $work $sources/Split.java|java $not_inlined -cp $work Split
		Java, inlined|javac|javac -d $work $sources/Split.java|java -cp $work Split
		Node, perf map|node|true|node --perf-basic-prof --interpreted-frames-native-stack --max-inlined-bytecode-size=0 $sources/split.js
		Node|node|true|node --max-inlined-bytecode-size=0 $sources/split.js
	FORMS
}
embed_form() { gcc -O2 -o "$work/embed" "$sources/embed.c" $(/usr/bin/python3-config --embed --includes --ldflags) -pthread; }
musl_python() { # version, how it is linked
	local command
	command=$(bench/musl-python.sh "$@") && printf '#!/bin/sh\nexec %s "$@"\n' "$command" >"$work/musl-python" && chmod +x "$work/musl-python"
}
cgo_form() { (cd "$sources/splitcgo" && go build -o "$work/split" .); }
find_python() { # python3.N: on PATH and able to run, or of pyenv
	local found
	for found in "$(command -v "$1" || true)" "$HOME"/.pyenv/versions/"${1#python}".*/bin/"$1"; do
		if [ -x "$found" ] && "$found" -c '' 2>/dev/null; then
			echo "$found"
			return
		fi
	done
	return 1
}

# One line a stack: weight, then its names, leaf first.
ours() {
	"$program" record --pid "$1" -d "${seconds}s" --rate 997 -o "$work/ours.pb.gz" >/dev/null
	go tool pprof -traces -unit ns "$work/ours.pb.gz" 2>/dev/null | awk '
		/^-----/ { if (line) print line; line = ""; next }
		/^ *[0-9.]+ns / { sub(/ns/, "", $1); line = $1; $1 = ""; name = $0; gsub(/ /, "_", name); line = line " " name; next }
		line && NF { name = $0; gsub(/ /, "_", name); line = line " " name }
		END { if (line) print line }'
}
perf_with() { # pid, how
	perf record -q -e cpu-clock -F 997 --call-graph "$2" -p "$1" -o "$work/perf.data" -- sleep "$seconds" >/dev/null 2>&1
	perf script -i "$work/perf.data" -F ip,sym 2>/dev/null | awk '
		NF == 0 { if (line) print 1, line; line = ""; next }
		{ $1 = ""; gsub(/ /, "_"); line = line " " $0 }
		END { if (line) print 1, line }'
}

# "60 / 30 / 10, whole 100 %": the shares by name, and the share of stacks that reach both runQuery and the bottom of the stack.
judge() { # is it stripped
	awk -v stripped="$1" '
		{
			weight = $1; total += weight; text = tolower($0); gsub(/_/, "", text)
			if (text ~ /sortrows/) sort += weight
			if (text ~ /hashrows/) hash += weight
			if (text ~ /writerows/) write_ += weight
			bottom = $0 ~ /_start|goexit|clone|start_thread/ || $0 ~ /libc\.so\+0x[^ ]* [^ ]*(split|python3\.[0-9]*)\+0x[^ ]*$/ # musl: its _start has no type
			if (bottom && (stripped || text ~ /runquery/) && (!stripped || NF >= 6)) whole += weight
		}
		END {
			if (!total) { print "no samples"; exit }
			if (stripped) printf "whole %.0f %%", 100 * whole / total
			else printf "%.0f / %.0f / %.0f, whole %.0f %%", 100 * sort / total, 100 * hash / total, 100 * write_ / total, 100 * whole / total
		}'
}

echo "| Language, form | ActorProfiler | perf, frame pointers | perf, stack copies |"
echo "|---|---|---|---|"
while IFS='|' read -r form tool build command; do
	if [ $# -gt 0 ] && ! printf '%s\n' "$@" | grep -qxiF "${form//,/}"; then
		continue
	fi
	if ! have "$tool"; then
		continue
	fi
	eval "$build" >"$work/log" 2>&1 </dev/null || { echo "languages: $form: build failed:" >&2; tail -n 5 "$work/log" >&2; continue; }
	(cd "$work" && exec $command 600) >/dev/null 2>&1 </dev/null &
	busy=$!
	sleep "${WARM_UP:-2}"
	stripped=
	case $form in C*stripped | Rust*stripped) stripped=1 ;; esac
	# The first recording asks runtimes for their names, the second has them.
	case $form in .NET* | Java*) ours "$busy" >/dev/null </dev/null ;; esac
	echo "| $form | $(ours "$busy" </dev/null | judge "$stripped") | $(perf_with "$busy" fp </dev/null | judge "$stripped") | $(perf_with "$busy" dwarf </dev/null | judge "$stripped") |"
	kill "$busy"
	wait "$busy" 2>/dev/null || true
	busy=
done < <(forms)
