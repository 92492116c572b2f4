#!/usr/bin/env bash
# Compares what the collector makes of large files with other tools: unwind rules with readelf, names with llvm-symbolizer, demangled symbols
# with c++filt. Prints the counts, and the first differences of each file. Usage: tests/oracles/compare.sh [frames|names|demangling] [FILE...]
set -uo pipefail
cd "$(dirname "$0")/../.."

dotnet build tests/oracles -c Release -v quiet >/dev/null
oracles=artifacts/bin/Oracles/release/ActorProfiler.Oracles
libraries=/usr/lib/$(uname -m)-linux-gnu
files=()
for file in /usr/bin/node "$libraries/libLLVM-14.so.1" "$libraries/libc.so.6" "$(readlink -f /usr/bin/python3)" "$libraries/libcrypto.so.3" \
	"$(gcc -print-prog-name=cc1)" "$libraries/libstdc++.so.6" "$(rustc --print sysroot 2>/dev/null)"/lib/librustc_driver-*.so \
	"$(dirname "$(readlink -f "$(command -v dotnet)")")"/shared/Microsoft.NETCore.App/*/libcoreclr.so; do
	[ -f "$file" ] && files+=("$file")
done
kinds=(frames names demangling)
[ $# -eq 0 ] || kinds=("$1")
[ $# -lt 2 ] || files=("${@:2}")
for what in "${kinds[@]}"; do
	echo "$what"
	case $what in
	frames) "$oracles" frames "${files[@]}" ;;
	names) "$oracles" symbolizer "${files[@]}" ;;
	demangling) "$oracles" filter "${files[@]}" ;;
	*) echo "compare: no comparison '$what': known are frames, names, demangling" >&2; exit 2 ;;
	esac
done
