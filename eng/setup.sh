#!/usr/bin/env bash
# Installs the Debian packages that the given purposes need and this machine lacks.
# Usage: eng/setup.sh build|test|check|docker|fuzz|kernels|bench ...
set -euo pipefail

declare -A packages=(
	[build]="clang llvm libbpf-dev libbpf1"
	[test]="python3 gcc g++ libc6-dev binutils bpftool chromium golang-go prometheus iproute2 nftables strace openjdk-17-jdk-headless nodejs uwsgi-core uwsgi-plugin-python3 python3-dev musl-tools"
	[docker]="docker.io iproute2 prometheus gcc libc6-dev"
	[check]="clang-format"
	[fuzz]="afl++ gcc libc6-dev binutils golang-go"
	[kernels]="gcc libc6-dev libbpf-dev libelf-dev zlib1g-dev qemu-system-x86 cpio"
	[bench]="linux-perf gcc libc6-dev procps"
)

missing=()
for purpose in "$@"; do
	for package in ${packages[$purpose]}; do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
	done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "setup: missing: ${missing[*]}: install these with this system's package manager (names are Debian's)" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "setup: missing: ${missing[*]}: run as root, or: sudo apt-get install ${missing[*]}" >&2
	exit 1
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "setup: apt-get could not install: ${missing[*]}" >&2
	exit 1
fi
rm -f "$log"
