/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPython's frames of the current thread. Included by sampler.bpf.c, whose `walk` it continues: after the native walk
 * each frame becomes two words behind the user frames, the code object and (first line << 32 | is it an entry frame).
 * Names go once into `python_names`, so that they are there when the process is gone. Layouts come from the collector,
 * per process.
 */
#pragma once

#define PYTHON_FRAMES_PER_CALL 16
#define PYTHON_CALLS	       (MAX_PYTHON_FRAMES / PYTHON_FRAMES_PER_CALL)
#define PYTHON_STATES	       192 /* of threads, searched for the current one */
#define PYTHON_ABSENT	       0xffffffffu
#define PYTHON_TAG_BITS	       7ull /* a code object is aligned; from 3.14 on the pointer to it carries tags */

/* What follows from an interpreted frame for the native stack. */
enum python_entry {
	PYTHON_EVERY_FRAME, /* <= 3.10: each frame is one call of the interpreter's loop */
	PYTHON_ENTRY_FLAG,  /* 3.11: a flag marks the frame with which the loop was entered */
	PYTHON_SHIM,	    /* >= 3.12: an owner >= PYTHON_SHIM_OWNER marks an extra frame below the entry frame */
};
#define PYTHON_SHIM_OWNER 3

/* Value of `pythons`, by pid. Offsets in bytes; mirrored by Interpreters/PythonLayout.cs. */
struct python {
	__u64 interpreters; /* address of the list's head in the process */
	__u32 interpreter_next;
	__u32 interpreter_threads;
	__u32 thread_next;
	__u32 thread_id; /* pthread_t: what the thread register holds, with glibc and musl */
	__u32 thread_frame;
	__u32 cframe_frame; /* PYTHON_ABSENT: thread_frame is the frame itself */
	__u32 frame_code;
	__u32 frame_previous;
	__u32 frame_entry;
	__u32 entry; /* enum python_entry */
	__u32 code_file;
	__u32 code_name;
	__u32 code_first_line;
	__u32 text_state;
	__u32 text_length;
	__u32 text_ascii;   /* where the characters are when text_state has ascii_bit */
	__u32 text_compact; /* and when it has not */
	__u32 ascii_bit;
};
_Static_assert(sizeof(struct python) == 80, "python is 80 bytes, see PythonLayout.cs");

struct python_code {
	__u64 code;
	__u32 pid;
	__u32 first_line; /* a code object's memory is reused */
};
_Static_assert(sizeof(struct python_code) == 16, "python_code is 16 bytes, see PythonRecords.cs");

/* Bytes as they are in the str object; state says how wide its characters are. */
struct python_name {
	__u32 name_state;
	__u32 name_length; /* in characters */
	__u32 file_state;
	__u32 file_length;
	char name[PYTHON_NAME_BYTES];
	char file[PYTHON_FILE_BYTES];
};
_Static_assert(sizeof(struct python_name) == 16 + PYTHON_NAME_BYTES + PYTHON_FILE_BYTES,
	       "no padding, see PythonRecords.cs");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, struct python);
} pythons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct python_code);
	__type(value, struct python_name);
} python_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct python_name);
} python_scratch SEC(".maps");

#define READ_USER(to, at) bpf_probe_read_user(&(to), sizeof(to), (void *)(at))

/*
 * The frame that the current thread runs if this state is its own, or 0. A thread may have several states: one in each
 * interpreter, all but the running one without frames. And before 3.12 a state may be run by another thread than the
 * one whose id it holds (uWSGI makes them so), but its cframe is on the stack of the thread that runs it.
 */
static __always_inline __u64 python_frame_of(struct python *p, __u64 thread, __u64 self, __u64 sp)
{
	__u64 id = 0, frame = 0;

	if (READ_USER(frame, thread + p->thread_frame))
		return 0;
	if (p->cframe_frame == PYTHON_ABSENT) {
		if (!frame || READ_USER(id, thread + p->thread_id))
			return 0;
		return id == self ? frame : 0;
	}
	/* What the thread register points at is the end of a thread's stack, but not of the first thread's. */
	if (frame < sp || (self > sp && frame >= self) || READ_USER(frame, frame + p->cframe_frame))
		return 0;
	return frame;
}

/* The innermost Python frame of the current thread, or 0: it runs no Python. */
static __always_inline __u64 find_python_frame(struct python *p, __u64 sp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 self = BPF_CORE_READ(task, thread.fsbase);
	__u64 interpreter = 0, thread = 0, frame;

	if (READ_USER(interpreter, p->interpreters) || READ_USER(thread, interpreter + p->interpreter_threads))
		return 0;
	for (int i = 0; i < PYTHON_STATES; i++) {
		if (!thread) {
			if (READ_USER(interpreter, interpreter + p->interpreter_next) || !interpreter ||
			    READ_USER(thread, interpreter + p->interpreter_threads))
				return 0;
			continue;
		}
		frame = python_frame_of(p, thread, self, sp);
		if (frame)
			return frame;
		if (READ_USER(thread, thread + p->thread_next))
			return 0;
	}
	return 0;
}

/* Copies as much of a str object as there is room for. The size is a power of two. */
static __always_inline void read_python_text(struct python *p, __u64 text, char *to, __u32 size, __u32 *state,
					     __u32 *length)
{
	__u64 characters = 0, bytes;
	__u32 kind;

	if (READ_USER(characters, text + p->text_length) || READ_USER(*state, text + p->text_state))
		return;
	/* The bits of the kind (1, 2 or 4 bytes a character) stand three below the ascii bit and the one between them.
	 */
	kind = *state & p->ascii_bit ? 1 : (*state / (p->ascii_bit >> 4)) & 7;
	bytes = characters * kind;
	if (bytes > size - 1)
		bytes = size - 1;
	if (!bpf_probe_read_user(to, (__u32)bytes & (size - 1),
				 (void *)(text + (*state & p->ascii_bit ? p->text_ascii : p->text_compact))))
		*length = characters;
}

static __always_inline void remember_python_name(struct python *p, struct python_code *key)
{
	__u32 zero = 0;
	__u64 name = 0, file = 0;
	struct python_name *n;

	if (bpf_map_lookup_elem(&python_names, key))
		return;
	n = bpf_map_lookup_elem(&python_scratch, &zero);
	if (!n || READ_USER(name, key->code + p->code_name) || READ_USER(file, key->code + p->code_file))
		return;
	__builtin_memset(n, 0, sizeof(*n));
	read_python_text(p, name, n->name, PYTHON_NAME_BYTES, &n->name_state, &n->name_length);
	read_python_text(p, file, n->file, PYTHON_FILE_BYTES, &n->file_state, &n->file_length);
	if (n->name_length)
		bpf_map_update_elem(&python_names, key, n, BPF_ANY);
}

/* Adds one frame and moves on to its caller. Returns 0 at the end. */
static __always_inline int step_python(struct walk *w, struct python *p)
{
	struct python_code key = { .pid = w->record.pid };
	__u32 n = w->record.python_frames, at;
	__u8 entry_byte = 0;
	__u64 entry = 1;

	if (!w->python_frame || n >= MAX_PYTHON_FRAMES)
		return 0;
	if (READ_USER(key.code, w->python_frame + p->frame_code))
		return 0;
	key.code &= ~PYTHON_TAG_BITS;
	if (p->entry != PYTHON_EVERY_FRAME) {
		if (READ_USER(entry_byte, w->python_frame + p->frame_entry))
			return 0;
		entry = p->entry == PYTHON_SHIM ? entry_byte >= PYTHON_SHIM_OWNER : entry_byte != 0;
	}
	if (!(p->entry == PYTHON_SHIM && entry)) {
		if (READ_USER(key.first_line, key.code + p->code_first_line))
			return 0;
		remember_python_name(p, &key);
	}
	at = (w->record.user_frames + 2 * n) & (2 * MAX_USER_FRAMES - 1);
	w->frames[at] = key.code;
	w->frames[at + 1] = (__u64)key.first_line << 32 | entry;
	w->record.python_frames = n + 1;
	return !READ_USER(w->python_frame, w->python_frame + p->frame_previous);
}

SEC("perf_event")
int python(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0, pid;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct python *p;

	if (!w)
		return drop(DROP_NO_SCRATCH);
	pid = w->record.pid;
	p = bpf_map_lookup_elem(&pythons, &pid);
	if (!p)
		goto out;
	if (!w->python_calls)
		w->python_frame = find_python_frame(p, w->leaf_registers[7]);
	for (int i = 0; i < PYTHON_FRAMES_PER_CALL; i++) {
		if (!step_python(w, p))
			goto out;
	}
	if (++w->python_calls < PYTHON_CALLS)
		bpf_tail_call(ctx, &calls, CALL_PYTHON);
out:
	if (w->process.flags & PROCESS_V8)
		bpf_tail_call(ctx, &calls, CALL_V8);
	bpf_tail_call(ctx, &calls, CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}
