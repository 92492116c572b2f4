#!/usr/bin/env bash
# Loads and tries the BPF object on Debian's kernels 5.10, 6.1 and 6.12, each in a virtual machine without acceleration.
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

versions=("$@")
[ ${#versions[@]} -gt 0 ] || versions=(5.10 6.1 6.12)
failed=0
for version in "${versions[@]}"; do
	image=$(kernel_of "$version")
	timeout 600 qemu-system-x86_64 -accel tcg -cpu max -m 1024 -smp 2 -nographic -no-reboot -nodefaults -serial stdio \
		-kernel "$image" -initrd "$work/initramfs" -append "console=ttyS0 quiet panic=-1" >"$work/$version.log" 2>&1 || true
	if ! grep -aE '^(PASS|FAIL)' "$work/$version.log" | tr -d '\r' || ! grep -aq '^PASS' "$work/$version.log"; then
		failed=1
		echo "kernels: $version: $work/$version.log ends with:" >&2
		tail -n 15 "$work/$version.log" >&2
	fi
done
exit $failed
