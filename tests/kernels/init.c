// SPDX-License-Identifier: GPL-2.0
/*
 * The only program of a machine that tries the BPF object on one kernel: loads /sampler.bpf.o, samples a busy child for
 * some seconds, has the collector record a program without frame pointers, whose profile it sends through the second
 * serial port, prints one line that begins with PASS or FAIL, and switches the machine off.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "sample.h"

#define SECONDS	   5
#define RATE_HZ	   97
#define SHARD_SIZE (4u << 20)
#define PROFILE	   "/tmp/profile.pb.gz"

static int busy_pid, stacks, whole_stacks, kernel_stacks, exits;

__attribute__((noreturn, format(printf, 1, 2))) static void finish(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vprintf(format, arguments) : 0;
}

/* Three calls deep, so that a stack of fewer frames was not walked. */
__attribute__((noinline)) static void spin(volatile unsigned long *sink)
{
	for (int i = 0; i < 1000000; i++)
		*sink += i;
}

__attribute__((noinline)) static void run_query(volatile unsigned long *sink)
{
	spin(sink);
	*sink += 1;
}

__attribute__((noinline, noreturn)) static void be_busy(void)
{
	volatile unsigned long sink = 0;

	for (;;) {
		run_query(&sink);
		getppid();
	}
}

static int on_stack(void *context, void *data, size_t size)
{
	struct stack_record *record = data;

	(void)context;
	(void)size;
	if ((int)record->pid != busy_pid)
		return 0;
	stacks++;
	whole_stacks += record->user_frames >= 3;
	kernel_stacks += record->kernel_frames > 0;
	return 0;
}

static int on_event(void *context, void *data, size_t size)
{
	struct process_event *event = data;

	(void)context;
	(void)size;
	exits += event->kind == EVENT_EXIT && (int)event->pid == busy_pid;
	return 0;
}

static struct bpf_object *load(void)
{
	struct bpf_object *object = bpf_object__open_file("/sampler.bpf.o", NULL);
	struct settings *settings;
	size_t size;

	if (!object)
		finish("FAIL open /sampler.bpf.o: %s", strerror(errno));
	settings = (void *)bpf_map__initial_value(bpf_object__find_map_by_name(object, ".bss"), &size);
	if (!settings || size < sizeof(*settings))
		finish("FAIL no settings");
	*settings = (struct settings){ .collect_user = 1, .collect_kernel = 1 };
	if (bpf_object__load(object))
		finish("FAIL load /sampler.bpf.o: %s", strerror(errno));
	return object;
}

static struct bpf_map *map_of(struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		finish("FAIL no map %s", name);
	return map;
}

static void attach(struct bpf_object *object)
{
	struct perf_event_attr clock = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(clock),
		.sample_period = 1000000000 / RATE_HZ,
	};
	const char *tracepoints[] = { "on_exec", "on_exit" };

	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
		int file = syscall(SYS_perf_event_open, &clock, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (file < 0)
			finish("FAIL perf_event_open on CPU %d: %s", cpu, strerror(errno));
		if (!bpf_program__attach_perf_event(bpf_object__find_program_by_name(object, "sample"), file))
			finish("FAIL attach sample: %s", strerror(errno));
	}
	for (int i = 0; i < 2; i++) {
		if (!bpf_program__attach(bpf_object__find_program_by_name(object, tracepoints[i])))
			finish("FAIL attach %s: %s", tracepoints[i], strerror(errno));
	}
}

/* Ticks and reasons of all CPUs; the first words of each are struct tally of sampler.bpf.c. */
static void read_tally(struct bpf_map *map, unsigned long *ticks, unsigned long *dropped, unsigned long *reasons)
{
	size_t size = bpf_map__value_size(map), stride = (size + 7) & ~7ul, cpus = libbpf_num_possible_cpus();
	uint64_t *values = calloc(cpus, stride);
	uint32_t zero = 0;

	if (!values || bpf_map_lookup_elem(bpf_map__fd(map), &zero, values))
		finish("FAIL read tallies: %s", strerror(errno));
	for (size_t cpu = 0; cpu < cpus; cpu++) {
		uint64_t *tally = values + cpu * stride / 8;

		*ticks += tally[0];
		for (int reason = 0; reason < DROP_REASONS; reason++)
			reasons[reason] += tally[1 + reason];
	}
	for (int reason = 0; reason < DROP_REASONS; reason++)
		*dropped += reasons[reason];
	free(values);
}

/* A table shard, as the collector makes them. */
static void add_shard(struct bpf_object *object)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int shard = bpf_map_create(BPF_MAP_TYPE_ARRAY, "shard", 4, SHARD_SIZE, 1, &options);
	uint32_t zero = 0;

	if (shard < 0 || bpf_map_update_elem(bpf_map__fd(map_of(object, "shards")), &zero, &shard, BPF_ANY))
		finish("FAIL add a shard: %s", strerror(errno));
}

/* Copies the profile to the second serial port, byte for byte. */
static void send_profile(void)
{
	int port = open("/dev/ttyS1", O_WRONLY), profile = open(PROFILE, O_RDONLY);
	struct termios raw;
	char bytes[4096];
	ssize_t size;

	if (port < 0 || profile < 0 || tcgetattr(port, &raw))
		finish("FAIL send the profile: %s", strerror(errno));
	cfmakeraw(&raw);
	tcsetattr(port, TCSANOW, &raw);
	while ((size = read(profile, bytes, sizeof(bytes))) > 0) {
		for (ssize_t sent = 0, more; sent < size; sent += more) {
			more = write(port, bytes + sent, size - sent);
			if (more <= 0)
				finish("FAIL send the profile: %s", strerror(errno));
		}
	}
	tcdrain(port);
}

/* The collector itself, on a program that only tables walk. */
static void record(void)
{
	char pid[16];
	char *busy[] = { "/split", "600", NULL };
	char *recorder[] = { "/opt/dotnet/dotnet", "/opt/actorprofiler/actorprofiler.dll",
			     "record",		   "--pid",
			     pid,		   "-d",
			     "10s",		   "-o",
			     PROFILE,		   NULL };
	char *environment[] = { "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1", "HOME=/tmp", "DOTNET_TieredPGO=0", NULL };
	int child = fork(), status;

	if (!child) {
		execv(busy[0], busy);
		_exit(127);
	}
	snprintf(pid, sizeof(pid), "%d", child);
	if (!fork()) {
		execve(recorder[0], recorder, environment);
		_exit(127);
	}
	while (wait(&status) == child)
		;
	kill(child, SIGKILL);
	if (status)
		finish("FAIL record ended with status %x", status);
	send_profile();
}

int main(void)
{
	struct ring_buffer *rings;
	struct bpf_object *object;
	struct utsname kernel;
	unsigned long ticks = 0, dropped = 0, reasons[DROP_REASONS] = {};

	mkdir("/proc", 0555);
	mkdir("/sys", 0555);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	uname(&kernel);
	libbpf_set_print(print);

	object = load();
	add_shard(object);
	rings = ring_buffer__new(bpf_map__fd(map_of(object, "stacks")), on_stack, NULL, NULL);
	if (!rings || ring_buffer__add(rings, bpf_map__fd(map_of(object, "events")), on_event, NULL))
		finish("FAIL ring buffers: %s", strerror(errno));
	busy_pid = fork();
	if (!busy_pid)
		be_busy();
	attach(object);
	sleep(SECONDS);
	kill(busy_pid, SIGKILL);
	waitpid(busy_pid, NULL, 0);
	ring_buffer__consume(rings);
	read_tally(map_of(object, "tallies"), &ticks, &dropped, reasons);
	for (int reason = 0; reason < DROP_REASONS; reason++) {
		if (reasons[reason])
			printf("dropped for reason %d of enum drop_reason: %lu\n", reason, reasons[reason]);
	}

	bpf_object__close(object);
	record();
	finish("%s %s: %lu ticks, %lu dropped, %d different stacks of the busy process, %d whole, %d with kernel "
	       "frames, exit %s",
	       ticks > SECONDS * RATE_HZ / 2 && dropped < ticks && whole_stacks > 0 && exits == 1 ? "PASS" : "FAIL",
	       kernel.release, ticks, dropped, stacks, whole_stacks, kernel_stacks, exits == 1 ? "seen" : "not seen");
}
