/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The JavaScript functions of V8's frames. Included by sampler.bpf.c, whose `walk` it continues: after the native walk
 * each frame of a JavaScript function becomes one word behind the user frames (and Python's). Names are read by the
 * collector. Layouts come from the collector, per process.
 *
 * A frame holds its context and its function right below the saved frame pointer; a frame of another kind has a small
 * integer in the place of the context. Closures of one function share a SharedFunctionInfo, which is long-lived and so
 * seldom moved: that is what is recorded. Source: src/execution/frame-constants.h, src/objects/js-function.tq of V8.
 */
#pragma once

#define V8_FRAMES_PER_CALL 64
#define V8_TAG_MASK	   3 /* of a tagged word: low bit 0 in a small integer, 01 in a pointer */
#define V8_TAG		   1

/*
 * Word of a record: the frame's index among the user frames << V8_INDEX_SHIFT | V8_ENTERED if the function was found in
 * a register, for its frame does not stand yet | address of the SharedFunctionInfo.
 */
#define V8_INDEX_SHIFT 56
#define V8_ENTERED     (1ull << 55)
#define V8_ADDRESS     (V8_ENTERED - 1)
_Static_assert(MAX_USER_FRAMES <= 256, "the index of a frame is one byte");

/* Value of `v8s`, by pid. Offsets in bytes, in objects from their tagged address; mirrored by V8Layout.cs. */
struct v8 {
	__s32 frame_context; /* from the frame pointer */
	__s32 frame_function;
	__s32 function_shared;
	__s32 object_map;
	__s32 map_type;
	__u32 shared_type; /* instance type of a SharedFunctionInfo */
};
_Static_assert(sizeof(struct v8) == 24, "v8 is 24 bytes, see V8Layout.cs");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, struct v8);
} v8s SEC(".maps");

/* What is read of one frame: in a map, for words on the stack would make the verifier follow each way to them. */
struct v8_words {
	__u64 context;
	__u64 function;
	__u64 shared;
	__u64 map;
	__u32 type;
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct v8_words);
} v8_scratch SEC(".maps");

static __always_inline int is_v8_pointer(__u64 word)
{
	return (word & V8_TAG_MASK) == V8_TAG && word <= V8_ADDRESS;
}

/* Whether r->function is a JavaScript function; then r->shared is its SharedFunctionInfo. */
static __always_inline int find_shared(struct v8 *v, struct v8_words *r)
{
	r->type = 0;
	return is_v8_pointer(r->function) && !READ_USER(r->shared, r->function + v->function_shared) &&
	       is_v8_pointer(r->shared) && !READ_USER(r->map, r->shared + v->object_map) && is_v8_pointer(r->map) &&
	       !bpf_probe_read_user(&r->type, sizeof(__u16), (void *)(r->map + v->map_type)) &&
	       r->type == v->shared_type;
}

static __always_inline void add_v8_frame(struct walk *w, struct v8 *v, struct v8_words *r, __u32 frame)
{
	__u64 fp = w->frame_words[frame & (MAX_USER_FRAMES - 1)];
	__u32 at = w->record.user_frames + 2 * w->record.python_frames + w->record.v8_frames;
	__u64 entered = 0;

	if (at >= MAX_USER_WORDS)
		return;
	if (!frame && w->v8_function) {
		r->function = w->v8_function;
		entered = V8_ENTERED;
	} else if (!fp || READ_USER(r->context, fp + v->frame_context) || !is_v8_pointer(r->context) ||
		   READ_USER(r->function, fp + v->frame_function)) {
		return;
	}
	if (!find_shared(v, r))
		return;
	w->frames[at & (MAX_USER_WORDS - 1)] = (__u64)frame << V8_INDEX_SHIFT | entered | r->shared;
	w->record.v8_frames++;
}

SEC("perf_event")
int v8(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0, pid, frame;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct v8_words *r = bpf_map_lookup_elem(&v8_scratch, &zero);
	struct v8 *v;

	if (!w || !r)
		return drop(DROP_NO_SCRATCH);
	pid = w->record.pid;
	v = bpf_map_lookup_elem(&v8s, &pid);
	if (!v)
		goto out;
	for (int i = 0; i < V8_FRAMES_PER_CALL; i++) {
		frame = w->v8_next;
		if (frame >= w->record.user_frames)
			goto out;
		w->v8_next = frame + 1;
		add_v8_frame(w, v, r, frame);
		barrier_var(i); /* the verifier has to see it count */
	}
	bpf_tail_call(ctx, &calls, CALL_V8);
out:
	bpf_tail_call(ctx, &calls, CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}
