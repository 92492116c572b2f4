# make run    profile this host and show it on a page         make test     build and run every test
# make check  format, analyzers, warnings as errors           make publish  a runnable program in artifacts/publish/actorprofiler
# make fuzz   every parser of foreign bytes, FUZZ_SECONDS (60) each
# make test-docker   discovery and profiling of containers, beside Prometheus, with a Docker daemon of its own
# make test-kernels  the BPF object on Debian's kernels 5.10, 6.1 and 6.12 in virtual machines
# make test-faults  every fault of docs/reliability.md, or SCENARIOS="3 11"; writes the table there
# make bench  cost, as ratios against perf in the same run

CONFIGURATION := Release
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

.PHONY: run build test test-faults test-docker check format publish fuzz test-kernels bench clean

build:
	@eng/setup.sh build
	dotnet build ActorProfiler.sln -c $(CONFIGURATION)

run:
	@eng/setup.sh build
	dotnet build src/ActorProfiler -c $(CONFIGURATION)
	artifacts/bin/ActorProfiler/release/actorprofiler run $(ARGS)

test:
	@eng/setup.sh build test
	dotnet build ActorProfiler.sln -c $(CONFIGURATION)
	@eng/test.sh

test-faults:
	@eng/setup.sh build test
	dotnet build tests/faults -c $(CONFIGURATION)
	@tests/faults/run.sh $(SCENARIOS)

test-docker:
	@eng/setup.sh build docker
	dotnet build tests/EndToEnd.Tests -c $(CONFIGURATION)
	ACTORPROFILER_REQUIRE_BPF=1 artifacts/bin/EndToEnd.Tests/release/ActorProfiler.EndToEnd.Tests --filter-class '*DockerTests'

check:
	@eng/setup.sh build check
	clang-format --dry-run --Werror bpf/*.c bpf/*.h
	dotnet build ActorProfiler.sln -c $(CONFIGURATION)
	dotnet format ActorProfiler.sln --verify-no-changes --no-restore

format:
	clang-format -i bpf/*.c bpf/*.h
	dotnet format ActorProfiler.sln

publish:
	@eng/setup.sh build
	dotnet publish src/ActorProfiler -c $(CONFIGURATION) -r linux-x64 --no-self-contained -p:PublishReadyToRun=true -o artifacts/publish/actorprofiler

fuzz:
	@eng/setup.sh build fuzz
	dotnet build tests/fuzz -c $(CONFIGURATION)
	tests/fuzz/fuzz.sh $(TARGETS)

test-kernels:
	@eng/setup.sh build kernels
	dotnet build src/ActorProfiler -c Release
	tests/kernels/run.sh $(VERSIONS)

bench: publish
	@eng/setup.sh bench
	bench/cost.sh

clean:
	rm -rf artifacts
