// SPDX-License-Identifier: GPL-2.0
/*
 * On each tick of the sampling clock: find the process, walk its user stack, add the kernel stack, count.
 *
 *   sample -> unwind (tail-calls itself every FRAMES_PER_CALL frames) -> python, python_frames, v8 (likewise, where
 * there is such an interpreter) -> emit
 *
 * A process that the collector has not read yet cannot be walked by tables: `copy` sends its stack as it is.
 *
 * Kernel >= 5.10. Ring buffer and preallocated maps only; no kprobes. Every early return of a tick is a counter.
 */
#include "kernel.h"
#include "sample.h"
#include "unwind.h"

char LICENSE[] SEC("license")
= "GPL";

/* The walk is cut so that each program stays within the verifier's budget and all within 33 tail calls. */
#define FRAMES_PER_CALL 16
#define UNWIND_CALLS	(MAX_USER_FRAMES / FRAMES_PER_CALL)

#define MAX_USER_WORDS (MAX_USER_FRAMES + 2 * MAX_PYTHON_FRAMES)
#define MAX_FRAMES     (MAX_USER_WORDS + MAX_KERNEL_FRAMES + 1)
_Static_assert(MAX_USER_WORDS == 2 * MAX_USER_FRAMES, "an index of the user part is bounded by one mask");
#define KERNEL_STACK_SIZE   16384
#define FRAME_POINTER_REACH (8u << 20) /* a caller's frame is not further away */
#define LOWEST_CODE_ADDRESS 4096
#define LONGEST_COPY_PAUSE  80 /* ms: a process that shows new code all the time is a JIT, which frame pointers walk */

enum tail_call {
	CALL_UNWIND,
	CALL_PYTHON,
	CALL_PYTHON_SEARCH,
	CALL_PYTHON_FRAMES,
	CALL_V8,
	CALL_HOTSPOT,
	CALL_COPY,
	CALL_EMIT,
	CALLS
};

/* Inode of the collector's pid namespace; 0 when it is the host's, whose pids need no translation. */
const volatile __u32 pid_namespace = 0;

volatile struct settings settings = {};

/* Types that no map names: this keeps them in the type information, for the test of their layout. */
const volatile struct {
	struct process_event event;
	struct stack_copy copy;
	struct mapping mapping;
} layouts SEC(".rodata.layouts")
= {};

/* What one walk carries over tail calls. */
struct walk {
	__u64 ip;
	__u64 sp;
	__u64 bp;
	__u64 leaf_ip;
	__u64 leaf_registers[16]; /* DWARF numbering */
	struct process process;
	__u32 calls;
	__u32 innermost; /* ip is where the thread stands, not a return address */
	__u32 python_calls;
	__u32 in_unread_code; /* a frame lies in code that the collector will have read soon */
	__u64 python_frame;   /* the next one to read */
	__u64 python_interpreter;
	__u64 python_thread; /* the state to look at next, of python_interpreter */
	__u32 python_searches;
	__u32 python_of;   /* pid of the process whose layout holds: the parent's, for a child that is not known yet */
	__u32 is_copied;   /* the stack is copied when Python's frames have been read */
	__u32 v8_next;	   /* the next user frame to look at */
	__u64 v8_function; /* of the innermost frame, where it is not in that frame yet */
	__u64 code[7];	   /* around the instruction pointer: V8_CODE_WORDS */
	__u64 frame_words[MAX_USER_FRAMES]; /* V8: the user frame's rbp; HotSpot: the method interpreted in it; 0: not
					       known */
	struct stack_record record;
	__u64 frames[MAX_FRAMES]; /* continues record */
};

struct counts {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} counts_a SEC(".maps")
, counts_b SEC(".maps");

/*
 * The map that counts now. The collector puts the other one here before it reads: the kernel's update of a map of
 * maps returns only when no program uses the old one, so reading it loses no tick.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, struct counts);
} active_counts SEC(".maps")
= { .values = { &counts_a } };

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} copies SEC(".maps");

/* Few and urgent, so with wake-up. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

struct shard {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, SHARD_WORDS * sizeof(__u32));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SHARDS);
	__uint(key_size, sizeof(__u32));
	__array(values, struct shard);
} shards SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_EXECUTABLES);
	__type(key, __u32);
	__type(value, struct executable);
} executables SEC(".maps");

struct rules {
	struct unwind_rule rule[MAX_RULES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct rules);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} scratch SEC(".maps");

/* Counters of the sampling programs: one owner per CPU, so no atomics. */
struct tally {
	__u64 ticks;
	__u64 drops[DROP_REASONS];
	__u64 events_lost; /* announcements that found `events` full */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tally);
} tallies SEC(".maps");

int unwind(struct bpf_perf_event_data *ctx);
int python(struct bpf_perf_event_data *ctx);
int python_search(struct bpf_perf_event_data *ctx);
int python_frames(struct bpf_perf_event_data *ctx);
int v8(struct bpf_perf_event_data *ctx);
int hotspot(struct bpf_perf_event_data *ctx);
int copy(struct bpf_perf_event_data *ctx);
int emit(struct bpf_perf_event_data *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, CALLS);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} calls SEC(".maps")
= { .values = {
	    [CALL_UNWIND] = (void *)&unwind,
	    [CALL_PYTHON] = (void *)&python,
	    [CALL_PYTHON_SEARCH] = (void *)&python_search,
	    [CALL_PYTHON_FRAMES] = (void *)&python_frames,
	    [CALL_V8] = (void *)&v8,
	    [CALL_HOTSPOT] = (void *)&hotspot,
	    [CALL_COPY] = (void *)&copy,
	    [CALL_EMIT] = (void *)&emit,
    } };

static __always_inline struct tally *tally(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&tallies, &zero);
}

static __always_inline int drop(enum drop_reason reason)
{
	struct tally *t = tally();

	if (t)
		t->drops[reason]++;
	return 0;
}

static __always_inline void *shard_at(__u32 index)
{
	__u32 zero = 0;
	void *shard = bpf_map_lookup_elem(&shards, &index);

	return shard ? bpf_map_lookup_elem(shard, &zero) : 0;
}

/* Thread group id of a task in the collector's pid namespace, 0 if it has none there. */
static __always_inline __u32 pid_of(struct task_struct *leader)
{
	struct pid *pid;
	void *number;
	__u32 levels;

	if (!pid_namespace)
		return BPF_CORE_READ(leader, tgid);
	pid = BPF_CORE_READ(leader, thread_pid);
	levels = BPF_CORE_READ(pid, level);
	number = (void *)pid + bpf_core_field_offset(struct pid, numbers);
#pragma unroll
	for (int i = 0; i < 8; i++) {
		struct upid *upid = number + i * bpf_core_type_size(struct upid);

		if (i > levels)
			break;
		if (BPF_CORE_READ(upid, ns, ns.inum) == pid_namespace)
			return BPF_CORE_READ(upid, nr);
	}
	return 0;
}

/* Returns 0 when the collector will hear of it. */
static __always_inline int announce(enum event_kind kind, struct stack_record *r, __u64 address, __u64 wakeup)
{
	struct process_event event = {
		.kind = kind,
		.pid = r->pid,
		.start_time = r->start_time,
		.exec_id = r->exec_id,
		.address = address,
		.time = bpf_ktime_get_ns(),
	};
	struct tally *t;

	__builtin_memcpy(event.comm, r->comm, COMM_LENGTH);
	if (!bpf_ringbuf_output(&events, &event, sizeof(event), wakeup))
		return 0;
	t = tally();
	if (t)
		t->events_lost++;
	return -1;
}

/* A frame lies in no mapping: dlopen, or a JIT's new heap. The collector says how often it wants to hear that of a
 * process. */
static __always_inline void announce_unknown_address(struct walk *w)
{
	__u32 pid = w->record.pid;
	struct process *p;
	__u64 now;

	if (w->process.state != PROCESS_PROFILED)
		return;
	p = bpf_map_lookup_elem(&processes, &pid);
	if (!p)
		return;
	now = bpf_ktime_get_ns();
	w->in_unread_code = p->unknown_pause <= LONGEST_COPY_PAUSE;
	if (now - p->last_unknown < p->unknown_pause * NSEC_PER_MSEC)
		return;
	p->last_unknown = now;
	announce(EVENT_UNKNOWN_ADDRESS, &w->record, w->ip, BPF_RB_FORCE_WAKEUP);
}

/*
 * The rule at the walk's address; 0 when no table covers it.
 * The searches have no branches on data (the sign of a difference is used as a mask): with branches the verifier
 * would follow every path of every step.
 */
static __always_inline struct unwind_rule *find_rule(struct walk *w, __u64 address)
{
	__u32 zero = 0, position = 0, length = w->process.mapping_count,
	      first = w->process.first_mapping * MAPPING_QUADS;
	__u64 *quads = shard_at(w->process.shard);
	struct executable *executable;
	struct rules *all;
	__u64 start, end, file_address, page;
	__u32 *words, index, row, low, id;

	if (!quads || !length)
		return 0;
#pragma unroll
	for (int i = 0; i < MAX_MAPPINGS_LOG2; i++) {
		__u32 half = length >> 1;
		__s64 difference = address - quads[(first + (position + half) * MAPPING_QUADS) & (SHARD_WORDS / 2 - 1)];

		position += half & ~(__u32)(difference >> 63);
		length -= half;
	}
	row = first + position * MAPPING_QUADS;
	start = quads[row & (SHARD_WORDS / 2 - 1)];
	end = quads[(row + 1) & (SHARD_WORDS / 2 - 1)];
	if (address < start || address >= end) {
		announce_unknown_address(w);
		return 0;
	}
	file_address = address - quads[(row + 2) & (SHARD_WORDS / 2 - 1)];
	index = (__u32)quads[(row + 3) & (SHARD_WORDS / 2 - 1)];
	if (!index)
		return 0;
	executable = bpf_map_lookup_elem(&executables, &index);
	if (!executable)
		return 0;
	page = (file_address >> 16) - executable->first_page;
	if (page >= executable->page_count)
		return 0;
	words = shard_at(executable->shard);
	if (!words)
		return 0;
	row = executable->pages + (__u32)page;
	position = words[row & (SHARD_WORDS - 1)];
	length = words[(row + 1) & (SHARD_WORDS - 1)] - position;
	low = file_address & 0xffff;
#pragma unroll
	for (int i = 0; i < 17; i++) {
		__u32 half = length >> 1;
		__s32 difference = (__s32)low - (__s32)(words[(position + half) & (SHARD_WORDS - 1)] >> 16);

		position += half & ~(__u32)(difference >> 31);
		length -= half;
	}
	id = words[position & (SHARD_WORDS - 1)] & 0xffff;
	if (!id)
		return 0;
	all = bpf_map_lookup_elem(&rules, &zero);
	return all ? &all->rule[id & (MAX_RULES - 1)] : 0;
}

#define STEPPED 0
#define ENDED	1

static __always_inline int end_walk(struct walk *w, enum walk_ending ending)
{
	w->record.ending = ending;
	return ENDED;
}

static __always_inline int step_to(struct walk *w, __u64 ip, __u64 sp, __u64 bp)
{
	if (!ip)
		return end_walk(w, ENDING_COMPLETE);
	w->ip = ip;
	w->sp = sp;
	w->bp = bp;
	w->innermost = 0;
	return STEPPED;
}

/* Keeps what tells of the frame that is walked over, for a process with such an interpreter. */
static __always_inline void note_frame(struct walk *w, __u32 interpreter, __u64 word)
{
	if (w->process.flags & interpreter)
		w->frame_words[(w->record.user_frames - 1) & (MAX_USER_FRAMES - 1)] = word;
}

static __always_inline int step_by_frame_pointer(struct walk *w)
{
	__u64 frame[2]; /* caller's rbp, return address */

	if (!w->bp)
		return end_walk(w, ENDING_COMPLETE);
	if (w->bp < w->sp || w->bp - w->sp > FRAME_POINTER_REACH)
		return end_walk(w, ENDING_BROKEN_CHAIN);
	if (bpf_probe_read_user(frame, sizeof(frame), (void *)w->bp))
		return end_walk(w, ENDING_READ_FAULT);
	if (frame[1] && frame[1] < LOWEST_CODE_ADDRESS)
		return end_walk(w, ENDING_BROKEN_CHAIN);
	note_frame(w, PROCESS_V8, w->bp);
	return step_to(w, frame[1], w->bp + 16, frame[0]);
}

/* struct rt_sigframe: return address, then ucontext with the interrupted registers (arch/x86/include/asm/sigframe.h).
 */
static __always_inline int step_over_signal(struct walk *w)
{
	__u64 bp, sp_ip[2];

	if (bpf_probe_read_user(&bp, sizeof(bp), (void *)(w->sp + 120)) ||
	    bpf_probe_read_user(sp_ip, sizeof(sp_ip), (void *)(w->sp + 160)))
		return end_walk(w, ENDING_READ_FAULT);
	step_to(w, sp_ip[1], sp_ip[0], bp);
	w->innermost = 1; /* interrupted, not called */
	return STEPPED;
}

/* interpreter_frame_sender_sp_offset of HotSpot's frame_x86.hpp. */
static __always_inline int step_over_interpreter(struct walk *w)
{
	__u64 frame[5]; /* method, its caller's last rsp, caller's rsp, caller's rbp, return address */

	if (w->bp < w->sp || w->bp - w->sp > FRAME_POINTER_REACH)
		return end_walk(w, ENDING_BROKEN_CHAIN);
	if (bpf_probe_read_user(frame, sizeof(frame), (void *)(w->bp - 24)))
		return end_walk(w, ENDING_READ_FAULT);
	note_frame(w, PROCESS_HOTSPOT, frame[0]);
	return step_to(w, frame[4], frame[2], frame[3]);
}

static __always_inline int step_by_rule(struct walk *w, struct unwind_rule *rule)
{
	__s64 offset = rule->cfa_offset, offset2 = rule->cfa_offset2, below = -8;
	__u64 cfa, bp = w->bp, ip;
	int is_leaf = w->innermost && w->record.user_frames == 1;

	switch (rule->cfa_kind) {
	case CFA_RSP:
		cfa = w->sp + offset + offset2 * 65536;
		break;
	case CFA_OTHER_STACK:
		if (!bp)
			return end_walk(w, ENDING_COMPLETE);
		cfa = bp + offset;
		break;
	case CFA_RBP:
		cfa = bp + offset + offset2 * 65536;
		break;
	case CFA_PLT:
		cfa = w->sp + 8 + ((w->ip & 15) >= offset ? 8 : 0);
		break;
	case CFA_DEREF_RBP:
	case CFA_DEREF_RSP:
		cfa = (rule->cfa_kind == CFA_DEREF_RBP ? bp : w->sp) + offset;
		if (bpf_probe_read_user(&cfa, sizeof(cfa), (void *)cfa))
			return end_walk(w, ENDING_READ_FAULT);
		cfa += offset2;
		break;
	case CFA_REGISTER:
		if (!is_leaf)
			return end_walk(w, ENDING_UNSUPPORTED);
		cfa = w->leaf_registers[offset2 & 15] + offset + (offset2 >> 4) * 65536;
		break;
	case CFA_DEREF_INDEXED:
		if (!is_leaf)
			return end_walk(w, ENDING_UNSUPPORTED);
		cfa = w->sp + offset + w->leaf_registers[offset2 & 15] * 8;
		if (bpf_probe_read_user(&cfa, sizeof(cfa), (void *)cfa))
			return end_walk(w, ENDING_READ_FAULT);
		cfa += offset2 >> 4;
		break;
	case CFA_RETURN_AT:
		cfa = w->sp + offset;
		below = offset2;
		break;
	case CFA_RETURN_IN:
		if (!is_leaf)
			return end_walk(w, ENDING_UNSUPPORTED);
		return step_to(w, w->leaf_registers[offset2 & 15], w->sp + offset, bp);
	case CFA_SIGNAL:
		return step_over_signal(w);
	case CFA_END:
		return end_walk(w, ENDING_COMPLETE);
	case CFA_UNKNOWN:
		announce_unknown_address(w);
		return step_by_frame_pointer(w);
	case CFA_INTERPRETER:
		return step_over_interpreter(w);
	default:
		return end_walk(w, ENDING_UNSUPPORTED);
	}

	if (bpf_probe_read_user(&ip, sizeof(ip), (void *)(cfa + below)))
		return end_walk(w, ENDING_READ_FAULT);
	if (rule->fp_kind == FRAME_POINTER_AT_CFA || rule->fp_kind == FRAME_POINTER_AT_RBP) {
		__u64 at = (rule->fp_kind == FRAME_POINTER_AT_CFA ? cfa : bp) + rule->fp_offset;

		if (bpf_probe_read_user(&bp, sizeof(bp), (void *)at))
			return end_walk(w, ENDING_READ_FAULT);
	} else if (rule->fp_kind == FRAME_POINTER_REGISTER && is_leaf) {
		bp = w->leaf_registers[rule->fp_offset & 15];
	}
	return step_to(w, ip, cfa, bp);
}

/* A call through a null pointer: the return address is where the stack pointer points. */
static __always_inline int step_over_null_call(struct walk *w)
{
	__u64 ip;

	if (bpf_probe_read_user(&ip, sizeof(ip), (void *)w->sp))
		return end_walk(w, ENDING_READ_FAULT);
	return step_to(w, ip, w->sp + 8, w->bp);
}

/*
 * Whether the thread returns into a trampoline that CPython has put before a function (-X perf), which nothing
 * describes: sub $8,%rsp; call *%rcx; add $8,%rsp; ret. The last two of them come next.
 */
static __always_inline int is_python_trampoline(struct walk *w)
{
	const __u64 add_ret = 0xc308c48348ull;
	__u64 code = 0;

	return w->process.flags & PROCESS_PYTHON && !w->innermost && !bpf_probe_read_user(&code, 5, (void *)w->ip) &&
	       code == add_ret;
}

static __always_inline int step_over_trampoline(struct walk *w)
{
	__u64 ip;

	if (bpf_probe_read_user(&ip, sizeof(ip), (void *)(w->sp + 8)))
		return end_walk(w, ENDING_READ_FAULT);
	return step_to(w, ip, w->sp + 16, w->bp);
}

static __always_inline int step(struct walk *w)
{
	struct unwind_rule *rule;

	if (w->innermost && w->ip < LOWEST_CODE_ADDRESS)
		return step_over_null_call(w);
	rule = find_rule(w, w->innermost ? w->ip : w->ip - 1);
	if (rule)
		return step_by_rule(w, rule);
	return is_python_trampoline(w) ? step_over_trampoline(w) : step_by_frame_pointer(w);
}

#include "v8_edges.h"

SEC("perf_event")
int unwind(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);

	if (!w)
		return drop(DROP_NO_SCRATCH);
	if (w->process.flags & PROCESS_V8 && !w->record.user_frames)
		step_from_v8_edge(w);
	for (int i = 0; i < FRAMES_PER_CALL; i++) {
		__u32 n = w->record.user_frames;

		if (n >= MAX_USER_FRAMES) {
			w->record.ending = ENDING_TRUNCATED;
			goto out;
		}
		w->frames[n & (MAX_USER_FRAMES - 1)] = w->ip;
		w->frame_words[n & (MAX_USER_FRAMES - 1)] = 0;
		w->record.user_frames = n + 1;
		if (step(w) == ENDED)
			goto out;
	}
	if (++w->calls < UNWIND_CALLS)
		bpf_tail_call(ctx, &calls, CALL_UNWIND);
	w->record.ending = ENDING_TRUNCATED;
out:
	if (w->process.flags & PROCESS_PYTHON)
		bpf_tail_call(ctx, &calls, CALL_PYTHON);
	if (w->process.flags & PROCESS_V8)
		bpf_tail_call(ctx, &calls, CALL_V8);
	if (w->in_unread_code)
		bpf_tail_call(ctx, &calls, CALL_COPY);
	if (w->process.flags & PROCESS_HOTSPOT)
		bpf_tail_call(ctx, &calls, CALL_HOTSPOT);
	bpf_tail_call(ctx, &calls, CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}

#include "python.h"
#include "v8.h"
#include "hotspot.h"

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ (hash >> 32);
}

static __always_inline __u64 hash_of(struct walk *w, __u32 frames)
{
	struct stack_record *r = &w->record;
	__u64 hash = mix(r->start_time, (__u64)r->pid << 32 | r->exec_id);

	hash = mix(hash, (__u64)r->weight << 32 | (__u32)r->user_frames << 16 | r->kernel_frames);
	hash = mix(hash, (__u64)r->v8_frames << 32 | (__u32)r->python_frames << 16 | (__u32)r->ending << 8 | r->flags);
	for (int i = 0; i < MAX_FRAMES; i++) {
		if (i >= frames)
			break;
		hash = mix(hash, w->frames[i]);
	}
	return hash;
}

/* Adds a tick to a stack that has been sent already. Returns 0 if it has not. */
static __always_inline int count(void *counts, __u64 hash)
{
	__u64 *ticks = bpf_map_lookup_elem(counts, &hash);

	if (!ticks)
		return 0;
	__sync_fetch_and_add(ticks, 1);
	return 1;
}

SEC("perf_event")
int emit(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0, frames, kernel_frames = 0;
	__u64 one = 1;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct tally *t = tally();
	void *counts;
	long size, error;

	if (!w || !t)
		return drop(DROP_NO_SCRATCH);
	frames = w->record.user_frames + 2 * w->record.python_frames + w->record.v8_frames;
	if (frames > MAX_USER_WORDS)
		frames = MAX_USER_WORDS;
	if ((settings.collect_kernel || w->process.flags & PROCESS_KERNEL) && !(w->process.flags & PROCESS_NO_KERNEL)) {
		size = bpf_get_stack(ctx, &w->frames[frames], MAX_KERNEL_FRAMES * sizeof(__u64), 0);
		if (size > 0)
			kernel_frames = size / sizeof(__u64);
	}
	w->record.kernel_frames = kernel_frames;
	frames += kernel_frames;
	if (!frames)
		return drop(DROP_NO_STACK);

	counts = bpf_map_lookup_elem(&active_counts, &zero);
	if (!counts)
		return drop(DROP_NO_COUNTS);
	w->record.hash = hash_of(w, frames);
	if (count(counts, w->record.hash))
		return 0;
	error = bpf_map_update_elem(counts, &w->record.hash, &one, BPF_NOEXIST);
	if (error == -EEXIST && count(counts, w->record.hash))
		return 0;
	if (error)
		w->record.flags |= RECORD_SINGLE;
	size = sizeof(struct stack_record) + frames * sizeof(__u64);
	/* Full: the ticks stay under the hash, and the collector counts them as lost for want of their stack. */
	if (bpf_ringbuf_output(&stacks, &w->record, size, BPF_RB_NO_WAKEUP) && error)
		return drop(DROP_RING_FULL);
	return 0;
}

/* Sends the stack as it is. Where there is no room, or nothing to read, the walk by what is known has to do. */
SEC("perf_event")
int copy(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct stack_copy *c;
	void *bytes;
	long size;

	if (!w)
		return drop(DROP_NO_SCRATCH);
	c = bpf_ringbuf_reserve(&copies, sizeof(*c) + COPY_BYTES, 0);
	if (!c)
		goto walk;
	c->record = w->record;
	c->record.flags = 0;
	c->record.ending = ENDING_NONE;
	c->record.user_frames = 0;
	c->record.kernel_frames = 0;
	if (c->record.python_frames)
		__builtin_memcpy(c->python, w->frames, sizeof(c->python));
	if (c->record.python_frames > COPIED_PYTHON_FRAMES) {
		c->record.python_frames = COPIED_PYTHON_FRAMES;
		c->python[2 * COPIED_PYTHON_FRAMES - 2] = 0;
		c->python[2 * COPIED_PYTHON_FRAMES - 1] = 0;
	}
	c->time = bpf_ktime_get_ns();
	c->ip = w->leaf_ip;
	__builtin_memcpy(c->registers, w->leaf_registers, sizeof(c->registers));
	c->start = w->leaf_registers[7] & ~4095ull;
	c->length = 0;
	bytes = c + 1;
	for (int i = 0; i < COPY_PAGES; i++) {
		if (bpf_probe_read_user(bytes + i * 4096, 4096, (void *)(c->start + i * 4096)))
			break;
		c->length += 4096;
	}
	if (!c->length) {
		bpf_ringbuf_discard(c, BPF_RB_NO_WAKEUP);
		goto walk;
	}
	if (settings.collect_kernel && !(w->process.flags & PROCESS_NO_KERNEL)) {
		size = bpf_get_stack(ctx, c->kernel, sizeof(c->kernel), 0);
		if (size > 0)
			c->record.kernel_frames = size / sizeof(__u64);
	}
	bpf_ringbuf_submit(c, BPF_RB_NO_WAKEUP);
	return 0;
walk:
	w->record.python_frames = 0;
	w->calls = 0;
	bpf_tail_call(ctx, &calls, w->record.user_frames ? CALL_EMIT : CALL_UNWIND);
	return drop(DROP_NO_SCRATCH);
}

static __always_inline void set_registers(struct walk *w, const struct pt_regs *regs)
{
	w->ip = regs->rip;
	w->leaf_ip = regs->rip;
	w->sp = regs->rsp;
	w->bp = regs->rbp;
	w->leaf_registers[0] = regs->rax;
	w->leaf_registers[1] = regs->rdx;
	w->leaf_registers[2] = regs->rcx;
	w->leaf_registers[3] = regs->rbx;
	w->leaf_registers[4] = regs->rsi;
	w->leaf_registers[5] = regs->rdi;
	w->leaf_registers[6] = regs->rbp;
	w->leaf_registers[7] = regs->rsp;
	w->leaf_registers[8] = regs->r8;
	w->leaf_registers[9] = regs->r9;
	w->leaf_registers[10] = regs->r10;
	w->leaf_registers[11] = regs->r11;
	w->leaf_registers[12] = regs->r12;
	w->leaf_registers[13] = regs->r13;
	w->leaf_registers[14] = regs->r14;
	w->leaf_registers[15] = regs->r15;
}

static __always_inline int is_user(unsigned long cs)
{
	return (cs & 3) == 3;
}

/*
 * The user registers of the current task. In kernel mode they lie at the top of its kernel stack, 16 bytes lower
 * where the CPU uses FRED (bpf_task_pt_regs would tell, from 5.15 on).
 */
static __always_inline int find_user_registers(struct bpf_perf_event_data *ctx, struct task_struct *task,
					       struct walk *w)
{
	struct pt_regs saved;
	void *top;

	/* Field by field and from the context itself: the verifier allows no pointer into it. */
	if (is_user(ctx->regs.cs)) {
		saved.rip = ctx->regs.rip;
		saved.rsp = ctx->regs.rsp;
		saved.rbp = ctx->regs.rbp;
		saved.rax = ctx->regs.rax;
		saved.rdx = ctx->regs.rdx;
		saved.rcx = ctx->regs.rcx;
		saved.rbx = ctx->regs.rbx;
		saved.rsi = ctx->regs.rsi;
		saved.rdi = ctx->regs.rdi;
		saved.r8 = ctx->regs.r8;
		saved.r9 = ctx->regs.r9;
		saved.r10 = ctx->regs.r10;
		saved.r11 = ctx->regs.r11;
		saved.r12 = ctx->regs.r12;
		saved.r13 = ctx->regs.r13;
		saved.r14 = ctx->regs.r14;
		saved.r15 = ctx->regs.r15;
		set_registers(w, &saved);
		return 1;
	}
	top = BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE - sizeof(saved);
	if (bpf_probe_read_kernel(&saved, sizeof(saved), top))
		return 0;
	if (!is_user(saved.cs) && bpf_probe_read_kernel(&saved, sizeof(saved), top - 16))
		return 0;
	if (!is_user(saved.cs))
		return 0;
	set_registers(w, &saved);
	return 1;
}

/* Fills in what identifies the process. Returns its pid, 0 if it is in another pid namespace. */
static __always_inline __u32 identify(struct stack_record *r, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	r->pid = pid_of(leader);
	r->start_time = BPF_CORE_READ(leader, start_boottime);
	/* 8 bytes wide since 5.7; the low half is enough. */
	bpf_core_read(&r->exec_id, sizeof(r->exec_id), &task->self_exec_id);
	bpf_get_current_comm(r->comm, COMM_LENGTH);
	return r->pid;
}

static __always_inline void reset(struct walk *w)
{
	__builtin_memset(&w->record, 0, sizeof(w->record));
	__builtin_memset(&w->process, 0, sizeof(w->process));
	w->record.weight = 1;
	w->calls = 0;
	w->python_calls = 0;
	w->python_searches = 0;
	w->is_copied = 0;
	w->v8_next = 0;
	w->v8_function = 0;
	w->in_unread_code = 0;
	w->innermost = 1;
}

/* A child that has not called exec has the interpreter of its parent, at the same addresses. */
static __always_inline int inherits_python(struct walk *w, struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, group_leader, real_parent, group_leader);
	__u32 exec_id = 0, pid = pid_of(parent);

	bpf_core_read(&exec_id, sizeof(exec_id), &parent->self_exec_id);
	if (!pid || exec_id != w->record.exec_id || !bpf_map_lookup_elem(&pythons, &pid))
		return 0;
	w->python_of = pid;
	w->is_copied = 1;
	w->calls = PYTHON_CALLS / 2; /* leaves enough of them for a walk, if there is no room for the copy */
	return 1;
}

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct process announced = { .state = PROCESS_ANNOUNCED };
	struct tally *t = tally();
	struct process *process;
	__u32 zero = 0, pid;
	struct walk *w;

	if (!t)
		return 0; /* cannot be: the map has one entry */
	t->ticks++;
	if (!(bpf_get_current_pid_tgid() >> 32))
		return drop(DROP_IDLE);
	w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return drop(DROP_NO_SCRATCH);
	reset(w);
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD) {
		if (!settings.kernel_threads)
			return drop(DROP_KERNEL_THREAD);
		w->record.flags = RECORD_KERNEL_THREAD;
	}
	pid = identify(&w->record, task);
	if (!pid)
		return drop(DROP_OTHER_NAMESPACE);
	w->python_of = pid;

	process = bpf_map_lookup_elem(&processes, &pid);
	if (process) {
		w->process = *process;
		if (process->state == PROCESS_WANTED) {
			process->state = PROCESS_ANNOUNCED;
			announce(EVENT_UNKNOWN_PROCESS, &w->record, 0, BPF_RB_FORCE_WAKEUP);
		}
	} else if (settings.ignore_unknown) {
		return drop(DROP_NOT_TARGET);
	} else if (!bpf_map_update_elem(&processes, &pid, &announced, BPF_NOEXIST)) {
		/* Unheard: the next tick tries again. */
		if (announce(EVENT_UNKNOWN_PROCESS, &w->record, 0, BPF_RB_FORCE_WAKEUP))
			bpf_map_delete_elem(&processes, &pid);
	}
	if (w->process.state == PROCESS_IGNORED)
		return drop(DROP_NOT_TARGET);
	if (w->process.keep_one_in > 1) {
		if (bpf_get_prandom_u32() % w->process.keep_one_in)
			return drop(DROP_KEEP_RATE);
		w->record.weight = w->process.keep_one_in;
	}
	if (w->process.state != PROCESS_PROFILED)
		w->record.flags |= RECORD_UNKNOWN;

	if (settings.collect_user && !(w->process.flags & PROCESS_NO_USER) &&
	    !(w->record.flags & RECORD_KERNEL_THREAD)) {
		if (find_user_registers(ctx, task, w)) {
			if (!w->process.mapping_count && w->process.state != PROCESS_PROFILED) {
				if (inherits_python(w, task))
					bpf_tail_call(ctx, &calls, CALL_PYTHON);
				bpf_tail_call(ctx, &calls, CALL_COPY);
			}
			bpf_tail_call(ctx, &calls, CALL_UNWIND);
		}
		w->record.ending = ENDING_NO_REGISTERS;
	}
	bpf_tail_call(ctx, &calls, CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}

/* Forgets a process whose program or life has ended, and tells the collector if it was known. */
static __always_inline int forget(enum event_kind kind)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct stack_record r = {};
	__u32 pid = identify(&r, task);

	if (pid && !bpf_map_delete_elem(&processes, &pid))
		announce(kind, &r, 0, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	return forget(EVENT_EXEC);
}

SEC("raw_tp/sched_process_exit")
int on_exit(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	/* Counted down before this tracepoint: 0 in the last thread only. */
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	return forget(EVENT_EXIT);
}
