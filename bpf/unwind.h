/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unwind tables: compiled from .eh_frame and .gopclntab by src/Collector/Unwinding, searched here.
 *
 * A shard is one array map with a single value of SHARD_WORDS 32-bit words that the collector writes through mmap.
 * It holds, in any order: mappings of processes, page indexes and deltas of executables.
 * An executable's file addresses are cut into pages of 64 KiB. pages[k] is the word index of the first delta of
 * page k, pages[k + 1] its end. A delta is (low 16 bits of the address << 16 | rule id); the first delta of a page
 * has address 0 and repeats the rule carried in, so a search never leaves its page.
 */
#pragma once

#define SHARD_WORDS	  (1u << 20)
#define SHARDS		  64
#define MAX_EXECUTABLES	  8192
#define MAX_RULES	  16384
#define MAX_MAPPINGS_LOG2 12 /* steps of the search over a process's mappings */

/* Canonical frame address: how to find the caller's stack pointer. */
enum cfa_kind {
	CFA_NONE,      /* no rule: step by frame pointer */
	CFA_RSP,       /* rsp + cfa_offset + 65536 * cfa_offset2 */
	CFA_RBP,       /* rbp + cfa_offset + 65536 * cfa_offset2 */
	CFA_PLT,       /* rsp + 8, and 8 more from cfa_offset on within the 16-byte stub */
	CFA_DEREF_RBP, /* *(rbp + cfa_offset) + cfa_offset2 */
	CFA_DEREF_RSP, /* *(rsp + cfa_offset) + cfa_offset2 */
	CFA_END,       /* the outermost frame */
	CFA_REGISTER,  /* register (cfa_offset2 & 15) (DWARF) + cfa_offset + 65536 * (cfa_offset2 >> 4); known in the
			  innermost frame only */
	CFA_SIGNAL,    /* the kernel's signal frame */
	CFA_UNSUPPORTED,
	CFA_OTHER_STACK,   /* rbp + cfa_offset on the stack the code has left; the outermost frame where rbp is 0 */
	CFA_UNKNOWN,	   /* a JIT may have made code here since: step by frame pointer, and say so */
	CFA_INTERPRETER,   /* HotSpot: the caller's rsp at rbp - 8, its rbp at rbp, return address at rbp + 8 */
	CFA_DEREF_INDEXED, /* *(rsp + cfa_offset + 8 * register (cfa_offset2 & 15)) + (cfa_offset2 >> 4); in the
			      innermost frame only */
	CFA_RETURN_AT,	   /* rsp + cfa_offset; the return address is at cfa + cfa_offset2 */
	CFA_RETURN_IN, /* rsp + cfa_offset; the return address is in register number cfa_offset2; in the innermost frame
			  only */
};

/* The caller's rbp. */
enum frame_pointer_kind {
	FRAME_POINTER_SAME,
	FRAME_POINTER_AT_CFA, /* *(cfa + fp_offset) */
	FRAME_POINTER_UNKNOWN,
	FRAME_POINTER_AT_RBP,	/* *(rbp + fp_offset) */
	FRAME_POINTER_REGISTER, /* register number fp_offset (DWARF); known in the innermost frame only */
};

/* Mirrored by Unwinding/UnwindRule.cs. */
struct unwind_rule {
	__u8 cfa_kind;
	__u8 fp_kind;
	__s16 cfa_offset;
	__s16 fp_offset;
	__s16 cfa_offset2;
};
_Static_assert(sizeof(struct unwind_rule) == 8, "unwind_rule is 8 bytes, see UnwindRule.cs");

/* One executable mapping of a process, sorted by start. */
struct mapping {
	__u64 start;
	__u64 end;
	__u64 bias;	  /* process address - bias = file address */
	__u32 executable; /* index into `executables`, 0 = no table */
	__u32 padding;
};
_Static_assert(sizeof(struct mapping) == 32, "mapping is 32 bytes, see UnwindTableStore.cs");
#define MAPPING_QUADS (sizeof(struct mapping) / 8)

struct executable {
	__u32 shard;
	__u32 pages; /* word index of pages[0] */
	__u32 first_page;
	__u32 page_count;
};
_Static_assert(sizeof(struct executable) == 16, "executable is 16 bytes, see UnwindTableStore.cs");
