#!/usr/bin/env bash
# Writes what Prometheus makes of tests/Collector.Tests/testdata/kubernetes/objects.json beside that file, for each role.
# Usage: tests/oracles/kubernetes/run.sh CHECKOUT, a checkout of https://github.com/prometheus/prometheus. Needs Go 1.19 or later.
# Debian's prometheus is built without Kubernetes, so the functions that make targets are taken out of the checkout and compiled with the few types they need.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../../Collector.Tests/testdata/kubernetes
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/src" "$work/src"
mkdir "$work/src/oracle"
cp "$here/oracle/main.go" "$work/src/oracle/"
export GO111MODULE=off GOPATH=$work GOCACHE=$work/cache
go run "$here/extract/main.go" "$1/discovery/kubernetes" "$work/src/oracle"
go build -o "$work/oracle" oracle
for role in pod node service endpoints endpointslice ingress; do
	"$work/oracle" "$data/objects.json" "$role" >"$data/$role.json"
	"$work/oracle" "$data/objects.json" "$role" node namespace >"$data/$role-attached.json"
done
