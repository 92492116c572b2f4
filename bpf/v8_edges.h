/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a thread stands in the first or the last instructions of a JavaScript function, the frame pointer is still, or
 * again, that of its caller. A walk from there by frame pointer would leave out the caller and take its frame for the
 * function's. Included by sampler.bpf.c.
 *
 * The edges are told by their instructions, which the code generators of V8 write alike:
 *   push rbp; mov rbp, rsp; push rsi (context); push rdi (function)    with rdi: the function, from its entry on
 *   mov rsp, rbp; pop rbp; cmp, jg, ret or pop                         the frame popped lies intact below rsp
 * Source: src/compiler/backend/x64/code-generator-x64.cc, src/maglev/x64/maglev-assembler-x64.cc of V8.
 */
#pragma once

#define V8_CODE_BEFORE	  24 /* bytes that are read of what comes before the instruction pointer */
#define V8_CODE_WORDS	  7
#define V8_PROLOGUE	  0x5756e5894855ull
#define V8_PROLOGUE_BYTES 6
#define V8_EPILOGUE	  0x5de58b48ull
#define V8_EPILOGUE_BYTES 4
#define V8_RDI		  5 /* DWARF numbering */

/* Whether bytes stand at a constant distance from the instruction pointer. */
static __always_inline int is_code_at(struct walk *w, int distance, __u64 bytes, int count)
{
	int at = V8_CODE_BEFORE + distance, shift = 8 * (at % 8);
	__u64 found = w->code[at / 8] >> shift;

	if (shift)
		found |= w->code[at / 8 + 1] << (64 - shift);
	return (found & ((1ull << (8 * count)) - 1)) == bytes;
}

static __always_inline int is_v8_prologue(struct walk *w, int distance)
{
	return is_code_at(w, distance, V8_PROLOGUE, V8_PROLOGUE_BYTES);
}

/* Where an instruction begins that many bytes behind the epilogue's pop. */
static __always_inline int is_behind_v8_epilogue(struct walk *w, int distance)
{
	return is_code_at(w, -distance - V8_EPILOGUE_BYTES, V8_EPILOGUE, V8_EPILOGUE_BYTES);
}

/* Adds the innermost frame and steps to its caller, whose frame pointer is in rbp already. */
static __always_inline void step_to_v8_caller(struct walk *w, __u64 return_at, __u64 frame_pointer)
{
	__u64 ip;

	if (bpf_probe_read_user(&ip, sizeof(ip), (void *)return_at) || ip < LOWEST_CODE_ADDRESS)
		return;
	w->frames[0] = w->ip;
	w->frame_words[0] = frame_pointer;
	w->record.user_frames = 1;
	step_to(w, ip, return_at + 8, w->bp);
}

/* To be called before a walk. Anywhere else than at an edge it does nothing. */
static __always_inline void step_from_v8_edge(struct walk *w)
{
	if (bpf_probe_read_user(w->code, sizeof(w->code), (void *)(w->ip - V8_CODE_BEFORE)))
		return;
	/* Before them: whether the code has been thrown away is looked up, in one of two ways, or (V8 13) not at all.
	 */
	if (is_v8_prologue(w, 0) || is_v8_prologue(w, 6) || is_v8_prologue(w, 10) || is_v8_prologue(w, 14) ||
	    is_v8_prologue(w, 15) || is_v8_prologue(w, 19) || is_v8_prologue(w, 23)) {
		w->v8_function = w->leaf_registers[V8_RDI];
		step_to_v8_caller(w, w->sp, 0);
	} else if (is_v8_prologue(w, -1)) {
		w->v8_function = w->leaf_registers[V8_RDI];
		step_to_v8_caller(w, w->sp + 8, 0);
	} else if (is_v8_prologue(w, -4) || is_v8_prologue(w, -5)) {
		w->v8_function = w->leaf_registers[V8_RDI]; /* its frame stands, and is empty */
	} else if (is_behind_v8_epilogue(w, 0) || is_behind_v8_epilogue(w, 4) || is_behind_v8_epilogue(w, 6) ||
		   is_behind_v8_epilogue(w, 9) || is_behind_v8_epilogue(w, 10) || is_behind_v8_epilogue(w, 13)) {
		step_to_v8_caller(w, w->sp, w->sp - 8);
	}
}
