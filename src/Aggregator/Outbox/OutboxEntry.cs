using System.Collections.Immutable;

namespace ActorProfiler.Aggregator.Outbox;

/// <summary>A stored profile as a destination queues it.</summary>
/// <param name="Id">Its number in the outbox; grows.</param>
/// <param name="Series">Hash of its labels.</param>
/// <param name="Bytes">Compressed size.</param>
internal sealed record OutboxEntry(long Id, ulong Series, long TimeNanos, long Ticks, int Bytes);

/// <summary>Profiles a destination has to write, new ones or those of an earlier start.</summary>
internal sealed record ProfilesStored(ImmutableArray<OutboxEntry> Entries, bool FromEarlierStart);

/// <summary>Profiles that are too old or of which there are too many: the destination counts them as dropped, unless it has settled them, and settles them.</summary>
internal sealed record ProfilesOverdue(ImmutableHashSet<long> Ids, string Reason);
