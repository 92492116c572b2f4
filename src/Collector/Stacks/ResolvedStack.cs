using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Collector.Stacks;

/// <summary>A stack with names, leaf first: the kernel's frames, then the user's.</summary>
internal sealed class ResolvedStack(Location[] frames)
{
    public ReadOnlySpan<Location> Frames => frames;
}
