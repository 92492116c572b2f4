#!/usr/bin/env bash
# Tries the BPF object, and the collector with it, on Debian's kernels 5.10, 6.1 and 6.12, each in a virtual machine without acceleration:
# a program without frame pointers, which only unwind tables walk, is recorded, and its shares and whole chains are printed.
# Usage: tests/kernels/run.sh [VERSION...]     such as 5.10; kernels are kept in artifacts/kernels
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A suites=([5.10]=bullseye [6.1]=bookworm [6.12]=trixie)
work=$PWD/artifacts/kernels
object=artifacts/obj/Collector/release/bpf/sampler.bpf.o
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
mkdir -p "$work"/{lists/partial,cache/archives/partial,root}
cp "$object" "$work/root/sampler.bpf.o"
gcc -O1 -fno-omit-frame-pointer -static -Wall -Wextra -Ibpf -o "$work/root/init" tests/kernels/init.c -lbpf -lelf -lz
gcc -O2 -fomit-frame-pointer -o "$work/root/split" tests/testprograms/split.c

# The collector with its runtime, and the libraries both load.
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
rm -rf "$work/root"/{opt,lib,lib64,usr}
mkdir -p "$work/root"/{opt/dotnet/shared,opt/actorprofiler,lib/x86_64-linux-gnu,lib64}
for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
	version=$(find "$dotnet/shared/$framework" -mindepth 1 -maxdepth 1 -name '10.*' -printf '%f\n' | sort -V | tail -n 1)
	mkdir "$work/root/opt/dotnet/shared/$framework"
	cp -r "$dotnet/shared/$framework/$version" "$work/root/opt/dotnet/shared/$framework/"
done
cp -r "$dotnet/dotnet" "$dotnet/host" "$work/root/opt/dotnet/"
find artifacts/bin/ActorProfiler/release -maxdepth 1 -type f ! -name '*.pdb' -exec cp {} "$work/root/opt/actorprofiler/" \;
for library in libc libm libdl libpthread librt libstdc++ libgcc_s libbpf libelf libz liblzma libssl libcrypto; do
	cp -L /lib/x86_64-linux-gnu/$library.so.? "$work/root/lib/x86_64-linux-gnu/"
done
cp -L /lib64/ld-linux-x86-64.so.2 "$work/root/lib64/"
(cd "$work/root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs"

# apt with lists of its own, so that the machine's are left alone.
foreign_apt() { # suite, command...
	local suite=$1 tool=$2
	shift 2
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/sources.list"
	(cd "$work" && "$tool" -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State="$work" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@")
}

kernel_of() { # version: prints the path of its image
	local version=$1 suite=${suites[$1]} package
	if ! compgen -G "$work/$version/boot/vmlinuz-*" >/dev/null; then
		foreign_apt "$suite" apt-get update >&2
		package=$(foreign_apt "$suite" apt-cache search "^linux-image-${version//./\\.}\.[0-9].*-cloud-amd64$" | awk '{ print $1 }' | grep -v -- -unsigned | sort -V | tail -n 1)
		[ -n "$package" ] || { echo "kernels: $suite at $mirror has no cloud kernel $version" >&2; return 1; }
		foreign_apt "$suite" apt-get download "$package" >&2
		dpkg-deb -x "$work/$package"_*.deb "$work/$version"
		rm -f "$work/$package"_*.deb
	fi
	compgen -G "$work/$version/boot/vmlinuz-*" | tail -n 1
}

# The recorded shares of split.c, by whole chains; they must be 60, 30 and 10, give or take 8, and 95 % whole.
shares() { # version
	go tool pprof -traces -unit ns "$work/$1.pb.gz" 2>/dev/null | awk -v version="$1" '
		function end_of_stack() {
			total += weight
			if (stack ~ / run_query main / && stack ~ / _start $/) {
				whole += weight
				if (stack ~ / sort_rows /) sort += weight
				if (stack ~ / hash_rows /) hash += weight
				if (stack ~ / write_rows /) write_ += weight
			}
			weight = 0
			stack = " "
		}
		function abs(x) { return x < 0 ? -x : x }
		/^-----/ { end_of_stack(); next }
		/^ *[0-9.]+ns / { weight = $1 + 0; stack = " " $2 " "; next }
		weight && NF { stack = stack $1 " " }
		END {
			end_of_stack()
			if (!total) { print "FAIL " version ": no stacks recorded"; exit 1 }
			bad = abs(sort / total - 0.6) > 0.08 || abs(hash / total - 0.3) > 0.08 || abs(write_ / total - 0.1) > 0.08 || whole / total < 0.95
			printf "%s %s: without frame pointers: %.0f / %.0f / %.0f of %.1f s, whole %.1f %%\n", bad ? "FAIL" : "PASS", version,
				100 * sort / total, 100 * hash / total, 100 * write_ / total, total / 1e9, 100 * whole / total
			exit bad
		}'
}

versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(5.10 6.1 6.12)
failed=0
for version in "${versions[@]}"; do
	image=$(kernel_of "$version")
	for attempt in 1 2 3; do
		timeout 600 qemu-system-x86_64 -accel tcg -cpu max -m 2048 -smp 2 -nographic -no-reboot -nodefaults \
			-serial stdio -serial "file:$work/$version.pb.gz" \
			-kernel "$image" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" >"$work/$version.log" 2>&1 || true
		# The emulator brings some kernels down while they boot.
		grep -aq 'Attempted to kill init' "$work/$version.log" || break
	done
	if ! grep -aE '^(PASS|FAIL)' "$work/$version.log" | tr -d '\r' || ! grep -aq '^PASS' "$work/$version.log"; then
		failed=1
		echo "kernels: $version: $work/$version.log ends with:" >&2
		tail -n 15 "$work/$version.log" >&2
		continue
	fi
	shares "$version" || failed=1
done
exit $failed
