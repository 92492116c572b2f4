#!/usr/bin/env bash
# Unpacks a CPython that this Debian does not have from a newer one, with all libraries it needs; nothing is installed.
# Usage: bench/newer-python.sh 3.14     prints the command that runs it; fails where there is no such package
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1
folder=$PWD/artifacts/newer-python
root=$folder/root-$version
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
loader=$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

apt() {
	apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State="$folder/state" \
		-o Dir::State::status="$folder/status" -o Dir::Cache="$folder/cache-$version" "$@" >>"$log" 2>&1
}

if [ ! -x "$loader" ]; then
	mkdir -p "$folder"/state/lists/partial "$folder/cache-$version/archives/partial" "$root"
	: >"$folder/status" # as if nothing were installed: all that it needs is downloaded
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$folder/sources.list"
	if ! { apt update && apt install -y --no-install-recommends --download-only "python$version-minimal"; }; then
		echo "newer-python: no python$version-minimal from $mirror: $(tail -n 1 "$log")" >&2
		exit 1
	fi
	for package in "$folder/cache-$version"/archives/*.deb; do
		dpkg-deb -x "$package" "$root"
	done
fi
echo "$loader --library-path $root/usr/lib/x86_64-linux-gnu $root/usr/bin/python$version"
