/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPython's frames of the current thread. Included by sampler.bpf.c, whose `walk` it continues: after the native walk
 * each frame becomes two words behind the user frames, the code object and (first line << 32 | is it an entry frame).
 * Names go once into `python_names`, so that they are there when the process is gone. Layouts come from the collector,
 * per process.
 *
 * Which state is the thread's:
 * - from 3.12 on CPython itself keeps that for each thread: of a running thread, and of one that has let go of the
 *   interpreter's lock. The collector says where.
 * - up to 3.11 it is the state that holds the lock, if that is this thread's; or what the thread keeps, if there is but
 *   one interpreter.
 * - else, and where it is not known where a thread keeps it, it is searched for among the states of all threads.
 */
#pragma once

#define PYTHON_FRAMES_PER_CALL 16
#define PYTHON_CALLS	       28  /* tail calls of all programs until the last one */
#define PYTHON_STATES	       192 /* of threads, looked at in one call of the search for the current one */
#define PYTHON_SEARCH_CALLS    3
#define PYTHON_ABSENT	       0xffffffffu
#define PYTHON_TAG_BITS	       7ull /* a code object is aligned; from 3.14 on the pointer to it carries tags */

/* What follows from an interpreted frame for the native stack. */
enum python_entry {
	PYTHON_EVERY_FRAME, /* <= 3.10: each frame is one call of the interpreter's loop */
	PYTHON_ENTRY_FLAG,  /* 3.11: a flag marks the frame with which the loop was entered */
	PYTHON_SHIM,	    /* >= 3.12: an owner >= PYTHON_SHIM_OWNER marks an extra frame below the entry frame */
};
#define PYTHON_SHIM_OWNER 3

/* Where a thread keeps the pointer to its state. */
enum python_state_kind {
	PYTHON_STATE_UNKNOWN,
	PYTHON_STATE_KEY,	    /* thread-specific data; the word at state_address is the key */
	PYTHON_STATE_OFFSET,	    /* state_address bytes from the thread register */
	PYTHON_STATE_OFFSET_AT,	    /* the word at state_address says how far from the thread register */
	PYTHON_STATE_MODULE_AT,	    /* the two words at state_address: module, offset in its block */
	PYTHON_STATE_DESCRIPTOR_AT, /* two words at state_address: function; offset, or address of two words as above */
};
#define GLIBC_ENTRY	   16  /* bytes of a thread-specific value with its sequence number, and of a dtv entry */
#define GLIBC_KEYS	   32  /* in the thread's own structure */
#define MUSL_KEYS	   128 /* PTHREAD_KEYS_MAX */
#define THREAD_DTV	   8   /* behind the thread register, with glibc and musl */
#define LARGEST_STATIC_TLS (1ll << 32)

/* Value of `pythons`, by pid. Offsets in bytes; mirrored by Interpreters/PythonLayout.cs. */
struct python {
	__u64 interpreters;  /* address of the list's head in the process */
	__u64 attached;	     /* <= 3.11: address of the pointer to the state that holds the lock; else 0 */
	__u64 state_address; /* see enum python_state_kind */
	__u32 state_kind;    /* enum python_state_kind */
	__u32 state_further; /* bytes from the place of which state_kind tells to the pointer */
	__u32 keys;	     /* from the thread register: glibc's first value, musl's pointer to it */
	__u32 entry_size;    /* of thread-specific data and dtv: GLIBC_ENTRY, or 8 with musl */
	__u32 thread_previous;
	__u32 thread_interpreter;
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
_Static_assert(sizeof(struct python) == 120, "python is 120 bytes, see PythonLayout.cs");

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

/* Where the pointer lies that two words, module and offset, tell of; 0 if the thread has no such block. */
static __always_inline __u64 place_in_module(struct python *p, __u64 self, __u64 words)
{
	__u64 variable[2], dtv = 0, block = 0;

	if (READ_USER(variable, words) || READ_USER(dtv, self + THREAD_DTV) ||
	    READ_USER(block, dtv + variable[0] * p->entry_size))
		return 0;
	return block + variable[1];
}

/* Where the thread keeps the pointer to its state, or 0. */
static __always_inline __u64 place_of_state(struct python *p, __u64 self)
{
	__u64 word = 0, descriptor[2];
	__u32 key = 0;

	switch (p->state_kind) {
	case PYTHON_STATE_KEY:
		if (READ_USER(key, p->state_address) || key >= (p->entry_size == GLIBC_ENTRY ? GLIBC_KEYS : MUSL_KEYS))
			return 0;
		word = self + p->keys;
		if (p->entry_size != GLIBC_ENTRY && READ_USER(word, word))
			return 0;
		return word + key * p->entry_size;
	case PYTHON_STATE_OFFSET:
		return self + p->state_address;
	case PYTHON_STATE_OFFSET_AT:
		return READ_USER(word, p->state_address) ? 0 : self + word;
	case PYTHON_STATE_MODULE_AT:
		return place_in_module(p, self, p->state_address);
	case PYTHON_STATE_DESCRIPTOR_AT:
		if (READ_USER(descriptor, p->state_address))
			return 0;
		/* Of a block that lies below the thread register, or of one that came later? */
		if ((__s64)descriptor[1] < 0 && (__s64)descriptor[1] > -LARGEST_STATIC_TLS)
			return self + descriptor[1];
		return place_in_module(p, self, descriptor[1]);
	default:
		return 0;
	}
}

/* What the thread keeps may be gone, or of another kind than thought: a state is in the list of its interpreter. */
static __always_inline int is_listed(struct python *p, __u64 thread)
{
	__u64 previous = 0, interpreter = 0, listed = 0;

	if (READ_USER(previous, thread + p->thread_previous))
		return 0;
	if (previous) {
		if (READ_USER(listed, previous + p->thread_next))
			return 0;
	} else if (READ_USER(interpreter, thread + p->thread_interpreter) ||
		   READ_USER(listed, interpreter + p->interpreter_threads)) {
		return 0;
	}
	return listed == thread;
}

static __always_inline int has_one_interpreter(struct python *p)
{
	__u64 interpreter = 0, next = 0;

	return !READ_USER(interpreter, p->interpreters) && !READ_USER(next, interpreter + p->interpreter_next) && !next;
}

#define FRAME_UNKNOWN 1ull /* no frame has this address */

/* The frame of the state that the thread keeps, 0 if it has none. */
static __always_inline __u64 kept_frame(struct python *p, __u64 self)
{
	__u64 at = place_of_state(p, self), thread = 0, frame = 0;

	if (!at || READ_USER(thread, at + p->state_further))
		return FRAME_UNKNOWN;
	if (!thread)
		return 0;
	if (!is_listed(p, thread) || READ_USER(frame, thread + p->thread_frame))
		return FRAME_UNKNOWN;
	if (p->cframe_frame != PYTHON_ABSENT && READ_USER(frame, frame + p->cframe_frame))
		return FRAME_UNKNOWN;
	return frame;
}

/* The innermost frame by what the thread itself knows; 0 if it runs no Python. */
static __always_inline __u64 find_python_frame(struct python *p, __u64 self, __u64 sp)
{
	__u64 thread = 0, frame;

	if (!p->attached)
		return kept_frame(p, self);
	if (!READ_USER(thread, p->attached) && thread) {
		frame = python_frame_of(p, thread, self, sp);
		if (frame)
			return frame;
	}
	frame = has_one_interpreter(p) ? kept_frame(p, self) : 0;
	return frame ? frame : FRAME_UNKNOWN;
}

static __always_inline __u64 thread_register(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, thread.fsbase);
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

/* The rest of the frames has no place: a code object at 0 stands for it. */
static __always_inline void cut_python(struct walk *w)
{
	__u32 at = (w->record.user_frames + 2 * w->record.python_frames) & (MAX_USER_WORDS - 1);

	w->frames[at] = 0;
	w->frames[(at + 1) & (MAX_USER_WORDS - 1)] = 0;
	w->record.python_frames++;
	if (w->record.ending == ENDING_COMPLETE)
		w->record.ending = ENDING_TRUNCATED;
}

/* Adds one frame and moves on to its caller. Returns 0 at the end. */
static __always_inline int step_python(struct walk *w, struct python *p)
{
	struct python_code key = { .pid = w->record.pid };
	__u32 n = w->record.python_frames, at;
	__u8 entry_byte = 0;
	__u64 entry = 1;

	if (!w->python_frame)
		return 0;
	at = w->record.user_frames + 2 * n;
	if (at + 4 > MAX_USER_WORDS) {
		cut_python(w);
		return 0;
	}
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
	at &= MAX_USER_WORDS - 1;
	w->frames[at] = key.code;
	w->frames[at + 1] = (__u64)key.first_line << 32 | entry;
	w->record.python_frames = n + 1;
	return !READ_USER(w->python_frame, w->python_frame + p->frame_previous);
}

/* Finds the frame that the thread runs. */
SEC("perf_event")
int python(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0, pid;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct python *p;

	if (!w)
		return drop(DROP_NO_SCRATCH);
	pid = w->python_of;
	p = bpf_map_lookup_elem(&pythons, &pid);
	if (p) {
		w->python_frame = find_python_frame(p, thread_register(), w->leaf_registers[7]);
		if (w->python_frame != FRAME_UNKNOWN) {
			bpf_tail_call(ctx, &calls, CALL_PYTHON_FRAMES);
		} else if (!READ_USER(w->python_interpreter, p->interpreters) &&
			   !READ_USER(w->python_thread, w->python_interpreter + p->interpreter_threads)) {
			w->python_frame = 0;
			bpf_tail_call(ctx, &calls, CALL_PYTHON_SEARCH);
		}
	}
	bpf_tail_call(ctx, &calls, w->is_copied ? CALL_COPY : CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}

/* Looks at the states of all threads, for one that the current thread runs. */
SEC("perf_event")
int python_search(struct bpf_perf_event_data *ctx)
{
	__u64 self = thread_register(), interpreter, thread, frame = 0;
	__u32 zero = 0, pid;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct python *p;

	if (!w)
		return drop(DROP_NO_SCRATCH);
	pid = w->python_of;
	p = bpf_map_lookup_elem(&pythons, &pid);
	if (!p)
		goto out;
	interpreter = w->python_interpreter;
	thread = w->python_thread;
	for (int i = 0; i < PYTHON_STATES; i++) {
		if (!thread) {
			if (READ_USER(interpreter, interpreter + p->interpreter_next) || !interpreter ||
			    READ_USER(thread, interpreter + p->interpreter_threads))
				goto out;
			continue;
		}
		frame = python_frame_of(p, thread, self, w->leaf_registers[7]);
		if (frame)
			break;
		if (READ_USER(thread, thread + p->thread_next))
			goto out;
	}
	w->python_frame = frame;
	w->python_interpreter = interpreter;
	w->python_thread = thread;
	if (frame)
		bpf_tail_call(ctx, &calls, CALL_PYTHON_FRAMES);
	else if (++w->python_searches < PYTHON_SEARCH_CALLS)
		bpf_tail_call(ctx, &calls, CALL_PYTHON_SEARCH);
out:
	bpf_tail_call(ctx, &calls, w->is_copied ? CALL_COPY : CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}

SEC("perf_event")
int python_frames(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0, pid;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct python *p;

	if (!w)
		return drop(DROP_NO_SCRATCH);
	pid = w->python_of;
	p = bpf_map_lookup_elem(&pythons, &pid);
	if (!p)
		goto out;
	for (int i = 0; i < PYTHON_FRAMES_PER_CALL; i++) {
		if (!step_python(w, p))
			goto out;
	}
	if (w->calls + w->python_searches + ++w->python_calls < PYTHON_CALLS)
		bpf_tail_call(ctx, &calls, CALL_PYTHON_FRAMES);
	if (w->python_frame)
		cut_python(w);
out:
	if (w->process.flags & PROCESS_V8)
		bpf_tail_call(ctx, &calls, CALL_V8);
	bpf_tail_call(ctx, &calls, w->is_copied ? CALL_COPY : CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}
