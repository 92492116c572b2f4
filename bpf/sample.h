/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What crosses the border between the BPF programs and the collector: records, limits, reasons.
 * Mirrored by src/Collector/Sampling/SampleRecords.cs; LayoutTests compare both with the object's BTF.
 */
#pragma once

#define MAX_USER_FRAMES	  256
#define MAX_KERNEL_FRAMES 127
#define MAX_PYTHON_FRAMES 128 /* and twice as many where there are few others */
#define PYTHON_NAME_BYTES 128
#define PYTHON_FILE_BYTES 256
#define COMM_LENGTH	  16

/* Why a tick left no sample. Index into `drops`. Names are in DropReason.cs. */
enum drop_reason {
	DROP_IDLE,	      /* no task was running */
	DROP_KERNEL_THREAD,   /* kernel threads are not asked for */
	DROP_NOT_TARGET,      /* no target matches the process */
	DROP_KEEP_RATE,	      /* the target keeps one tick in n */
	DROP_OTHER_NAMESPACE, /* the process has no pid in the collector's pid namespace */
	DROP_NO_STACK,	      /* neither a user nor a kernel frame could be read */
	DROP_NO_SCRATCH,      /* the per-CPU scratch record is missing */
	DROP_NO_COUNTS,	      /* the active counts map is missing */
	DROP_RING_FULL,	      /* the ring buffer had no room for a stack that `counts` had no room for either */
	DROP_REASONS,
};

/* How the walk of a user stack ended. */
enum walk_ending {
	ENDING_NONE,	     /* no user stack was asked for, or the thread has none */
	ENDING_COMPLETE,     /* the outermost frame was reached */
	ENDING_BROKEN_CHAIN, /* frame pointers led nowhere, in code without unwind table */
	ENDING_UNSUPPORTED,  /* the table's rule has a form that cannot be followed */
	ENDING_READ_FAULT,   /* stack memory was not readable (paged out, or the chain left it) */
	ENDING_TRUNCATED,    /* deeper than there is room for */
	ENDING_NO_REGISTERS, /* user registers could not be found */
};

/* Bits of stack_record.flags. */
enum record_flag {
	RECORD_SINGLE = 1,  /* `counts` was full: this record stands for one tick itself */
	RECORD_UNKNOWN = 2, /* walked by frame pointers alone: the process was not known yet */
	RECORD_KERNEL_THREAD = 4,
};

/*
 * A stack, sent the first time it is seen after `active_counts` was switched. Its ticks are in `counts` under its hash.
 * frames[] holds user_frames return addresses, innermost first, then two words for each of python_frames (see
 * python.h), then one word for each of v8_frames (see v8.h), then kernel_frames return addresses, innermost first.
 */
struct stack_record {
	__u64 hash;
	__u64 start_time; /* of the process, ns since boot */
	__u32 pid;	  /* thread group id in the collector's pid namespace */
	__u32 exec_id;	  /* grows with each exec */
	__u32 weight;	  /* one tick stands for this many: n of the target's keep rate */
	__u16 user_frames;
	__u16 kernel_frames;
	__u8 ending; /* enum walk_ending */
	__u8 flags;  /* enum record_flag */
	__u16 python_frames;
	__u16 v8_frames;
	__u16 padding;
	char comm[COMM_LENGTH]; /* of the thread that was seen first */
};
_Static_assert(sizeof(struct stack_record) == 56, "stack_record is 56 bytes, see SampleRecords.cs");

/*
 * A tick whose walk has to wait until the collector has read the process: the registers and the innermost part of the
 * stack, walked later by Sampling/StackWalker.cs. record.user_frames is 0 and record.hash is not set.
 */
#define COPY_PAGES	     4
#define COPY_BYTES	     (COPY_PAGES * 4096)
#define COPIED_PYTHON_FRAMES 64
struct stack_copy {
	struct stack_record record;
	__u64 time; /* bpf_ktime_get_ns() */
	__u64 ip;
	__u64 registers[16]; /* DWARF numbering */
	__u64 start;	     /* address of the first byte */
	__u64 length;	     /* bytes that could be read, of the COPY_BYTES that follow */
	__u64 kernel[MAX_KERNEL_FRAMES];
	__u64 python[2 * COPIED_PYTHON_FRAMES]; /* as in stack_record: of a child that has Python from its parent */
};

/* Kinds of process_event. */
enum event_kind {
	EVENT_UNKNOWN_PROCESS = 1, /* first tick of a process without entry in `processes` */
	EVENT_UNKNOWN_ADDRESS,	   /* a frame lies in no known mapping */
	EVENT_EXEC,		   /* a known process has a new program */
	EVENT_EXIT,		   /* the last thread of a known process is gone */
};

struct process_event {
	__u32 kind; /* enum event_kind */
	__u32 pid;
	__u64 start_time;
	__u64 address; /* of EVENT_UNKNOWN_ADDRESS */
	__u64 time;    /* bpf_ktime_get_ns() */
	__u32 exec_id;
	__u32 padding;
	char comm[COMM_LENGTH];
};
_Static_assert(sizeof(struct process_event) == 56, "process_event is 56 bytes, see SampleRecords.cs");

/* States of a process. */
enum process_state {
	PROCESS_ANNOUNCED = 1, /* the collector has been told; frame pointers until it answers */
	PROCESS_PROFILED,
	PROCESS_IGNORED, /* no target */
	PROCESS_WANTED,	 /* asked for by pid: to be announced at its first tick, whatever ignore_unknown says */
};

/* Bits of process.flags. */
enum process_flag {
	PROCESS_NO_USER = 1,   /* leave the user stack out */
	PROCESS_NO_KERNEL = 2, /* leave the kernel stack out */
	PROCESS_PYTHON = 4,    /* `pythons` knows its interpreter */
	PROCESS_KERNEL = 8,    /* take the kernel stack, whatever settings.collect_kernel says */
	PROCESS_V8 = 16,       /* `v8s` knows its JavaScript engine */
	PROCESS_HOTSPOT = 32,  /* note the methods that HotSpot's interpreter runs */
};

/* Value of `processes`, by pid. Its mappings are rows of struct mapping in a shard of the unwind tables. */
struct process {
	__u64 last_unknown; /* bpf_ktime_get_ns() of the last EVENT_UNKNOWN_ADDRESS, or of the answer to it */
	__u32 state;	    /* enum process_state */
	__u32 flags;	    /* enum process_flag */
	__u32 keep_one_in;  /* 0 and 1 keep every tick */
	__u32 shard;
	__u32 first_mapping; /* in units of struct mapping from the start of the shard */
	__u32 mapping_count; /* 0: frame pointers only */
	__u32 unknown_pause; /* ms between two EVENT_UNKNOWN_ADDRESS */
	__u32 padding;
};
_Static_assert(sizeof(struct process) == 40, "process is 40 bytes, see SampleRecords.cs");

/* Switches the collector sets at any time, in .bss. */
struct settings {
	__u32 collect_user;
	__u32 collect_kernel;
	__u32 kernel_threads;
	__u32 ignore_unknown; /* only processes the collector has entered are profiled, none is announced */
};
_Static_assert(sizeof(struct settings) == 16, "settings is 16 bytes, see SampleRecords.cs");
