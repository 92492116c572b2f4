#!/usr/bin/env bash
# Builds a CPython that is linked with musl from a Debian's sources, without its extension modules; nothing is installed.
# Needs musl-gcc (package musl-tools).
# Usage: bench/musl-python.sh 3.13 [static]     prints the command that runs it; fails where there are no such sources
set -euo pipefail
cd "$(dirname "$0")/.."

version=$1
form=${2:-shared}
folder=$PWD/artifacts/musl-python
sources=$folder/source-$version
build=$folder/$version-$form
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
log=$folder/$version-$form.log
mkdir -p "$folder"

apt() {
	apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State="$folder/state" \
		-o Dir::State::status="$folder/status" -o Dir::Cache="$folder/cache" "$@"
}

fetch() {
	mkdir -p "$folder"/state/lists/partial "$folder"/cache/archives/partial "$sources.new"
	: >"$folder/status"
	for release in bookworm trixie forky sid; do
		echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$folder/sources.list"
		if apt update && (cd "$folder" && apt source --download-only "python$version"); then
			tar -xf "$(ls "$folder/python${version}"_*.orig.tar.?z)" --strip-components=1 -C "$sources.new" && mv "$sources.new" "$sources"
			return
		fi
	done
	return 1
}

# musl-gcc searches none of the host's headers, where the kernel's are, and names the host's triplet.
compiler() {
	mkdir -p "$build/kernel"
	ln -sfn /usr/include/linux "$build/kernel/linux"
	ln -sfn /usr/include/asm-generic "$build/kernel/asm-generic"
	ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$build/kernel/asm"
	cat >"$build/cc" <<-SCRIPT
		#!/bin/sh
		case "\$*" in
		*print-multiarch*) ;;
		*) exec musl-gcc "\$@" -isystem "$build/kernel" ;;
		esac
	SCRIPT
	chmod +x "$build/cc"
}

make_python() {
	local options=(CC="$build/cc" --without-ensurepip)
	case $form in
	static) options+=(LDFLAGS=-static LINKFORSHARED=' ') ;;
	*) options+=(--enable-shared) ;;
	esac
	{ [ -d "$sources" ] || fetch; } && compiler && cd "$build" && "$sources/configure" "${options[@]}" && make -j"$(nproc)" python && cp python "python$version"
}

if [ ! -x "$build/python$version" ] && ! (make_python) >"$log" 2>&1; then
	echo "musl-python: python$version, $form, from $mirror: $(tail -n 1 "$log")" >&2
	exit 1
fi
echo "env LD_LIBRARY_PATH=$build PYTHONHOME=$sources PYTHONPATH=$sources/Lib $build/python$version"
