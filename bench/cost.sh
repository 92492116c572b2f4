#!/usr/bin/env bash
# What the collector costs, as ratios in one run: CPU per 1000 samples against perf record -g + perf script on the same load,
# then idle CPU and memory of each role among 200 processes. Needs root.
# Usage: bench/cost.sh [seconds per measurement, 30]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
rate=97
program=${ACTORPROFILER:-artifacts/publish/actorprofiler/actorprofiler}
work=$(mktemp -d)
started=()

cleanup() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

start() { # command...: runs it in the background; its pid is in $last
	"$@" >>"$work/log" 2>&1 &
	last=$!
	started+=("$last")
}

ticks_per_second=$(getconf CLK_TCK)
cpu_ms() { awk -v hz="$ticks_per_second" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hz }' "/proc/$1/stat"; }
rss_mb() { awk '/^VmRSS/ { printf "%d", $2 / 1024 }' "/proc/$1/status"; }
metric() { curl -s "http://$1/metrics" | awk -v name="$2" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }'; }
samples() { echo $(($(metric "$1" actorprofiler_collector_ticks_total) - $(metric "$1" actorprofiler_collector_dropped_ticks_total))); }
until_live() {
	for _ in $(seq 100); do
		curl -sf "http://$1/-/live" >/dev/null && return
		sleep 0.1
	done
	echo "no answer at $1:" >&2
	tail -n 5 "$work/log" >&2
	exit 1
}

cat >"$work/light.c" <<'C'
#include <unistd.h>
int main(void)
{
	volatile long x = 0;
	for (;;) {
		for (int i = 0; i < 20000; i++)
			x += i;
		usleep(100000);
	}
}
C
gcc -O2 -o "$work/light" "$work/light.c"
gcc -O2 -o "$work/busy" tests/testprograms/split.c

echo "load: 200 light processes and 1 busy one; $seconds s per measurement at $rate Hz"
for _ in $(seq 200); do start "$work/light"; done
start "$work/busy" 100000

cat >"$work/all.alloy" <<END
pyroscope.ebpf "host" {
	targets_only = false
	sample_rate  = $rate
	forward_to   = []
}
END
start "$program" run "$work/all.alloy" --role all --data-dir "$work/all" --http.listen 127.0.0.1:4941
ours=$last
until_live 127.0.0.1:4941
sleep 20 # the first sight of all processes is not steady state
ms_before=$(cpu_ms "$ours") samples_before=$(samples 127.0.0.1:4941)
sleep "$seconds"
ms_after=$(cpu_ms "$ours") samples_after=$(samples 127.0.0.1:4941)
ours_rss=$(rss_mb "$ours")
kill "$ours"

{ time perf record -q -a -g -F $rate -e cpu-clock -o "$work/perf.data" -- sleep "$seconds" 2>/dev/null; } 2>"$work/record.time"
{ time perf script -i "$work/perf.data" >"$work/perf.txt" 2>/dev/null; } 2>"$work/script.time"
perf_samples=$(grep -c 'cpu-clock' "$work/perf.txt" || true)
perf_ms=$(cat "$work/record.time" "$work/script.time" |
	awk '/^(user|sys)/ { split($2, t, /[ms]/); sum += (t[1] * 60 + t[2]) * 1000 } END { print sum }')

awk -v from="$ms_before" -v to="$ms_after" -v n="$((samples_after - samples_before))" -v perf="$perf_ms" -v m="$perf_samples" 'BEGIN {
	a = (to - from) * 1000 / n; b = perf * 1000 / m
	printf "CPU ms per 1000 samples: actorprofiler %.1f (%d samples), perf record + script %.1f (%d samples): ratio %.2f (aim 0.50)\n", a, n, b, m, a / b
}'
echo "memory among 200 processes: role all $ours_rss MB"

for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
for _ in $(seq 200); do start sleep 100000; done

idle() { # role, address, arguments...: leaves it running, its pid in $last
	local role=$1 address=$2
	shift 2
	start "$program" run "$@" --role "$role" --http.listen "$address" --data-dir "$work/idle-$role"
	local pid=$last from to
	until_live "$address"
	sleep 120 # by then the runtime has compiled what it will
	from=$(cpu_ms "$pid")
	sleep "$seconds"
	to=$(cpu_ms "$pid")
	awk -v role="$role" -v from="$from" -v to="$to" -v s="$seconds" -v rss="$(rss_mb "$pid")" \
		'BEGIN { printf "idle, role %-10s: %.2f %% of a core (aim 0.20), %d MB (aim 100)\n", role, (to - from) / s / 10, rss }'
}
idle all 127.0.0.1:4942
kill "$last"
cat >"$work/fleet.alloy" <<END
pyroscope.ebpf "host" {
	targets_only = false
	forward_to   = []
}

cluster {
	aggregators = ["127.0.0.1:4953"]
	listen      = "127.0.0.1:4953"
}
END
idle aggregator 127.0.0.1:4943 "$work/fleet.alloy"
idle collector 127.0.0.1:4944 "$work/fleet.alloy"
