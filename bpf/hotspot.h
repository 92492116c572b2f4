/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The methods of the frames that HotSpot's interpreter runs, as the walk has noted them. Included by sampler.bpf.c:
 * each becomes one word behind the user frames, as those of v8.h. Names are read by the collector.
 */
#pragma once

#define HOTSPOT_INDEX_SHIFT 56
#define HOTSPOT_ADDRESS	    ((1ull << HOTSPOT_INDEX_SHIFT) - 1)

SEC("perf_event")
int hotspot(struct bpf_perf_event_data *ctx)
{
	__u32 zero = 0, at;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	__u64 method;

	if (!w)
		return drop(DROP_NO_SCRATCH);
	for (int i = 0; i < MAX_USER_FRAMES; i++) {
		if (i >= w->record.user_frames)
			break;
		method = w->frame_words[i];
		at = w->record.user_frames + w->record.v8_frames;
		if (method && method <= HOTSPOT_ADDRESS && at < MAX_USER_WORDS) {
			w->frames[at & (MAX_USER_WORDS - 1)] = (__u64)i << HOTSPOT_INDEX_SHIFT | method;
			w->record.v8_frames++;
		}
	}
	bpf_tail_call(ctx, &calls, CALL_EMIT);
	return drop(DROP_NO_SCRATCH);
}
