using ActorProfiler.Labels;

namespace ActorProfiler.Aggregator.Pprof;

/// <summary>A finished profile, encoded once: what the outbox keeps and every destination writes.</summary>
/// <param name="Labels">The series.</param>
/// <param name="TimeNanos">Start of the window, Unix nanoseconds. <c>(Labels, TimeNanos in ms)</c> is unique for ever.</param>
/// <param name="DurationNanos">Length of the window.</param>
/// <param name="Ticks">Sampling ticks in it, for the loss ledger.</param>
/// <param name="Pprof">A gzip-compressed <c>perftools.profiles.Profile</c>.</param>
public sealed record EncodedProfile(LabelSet Labels, long TimeNanos, long DurationNanos, long Ticks, ReadOnlyMemory<byte> Pprof);
