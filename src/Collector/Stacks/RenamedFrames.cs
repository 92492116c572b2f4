using System.Runtime.CompilerServices;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Collector.Stacks;

/// <summary>Shows names in another way than that of the host: for targets with a <c>demangle</c> of their own.</summary>
/// <remarks>What it makes lives as long as what it was made of: one location stays one object. Not thread-safe.</remarks>
internal sealed class RenamedFrames
{
    private readonly Dictionary<DemangleMode, Mode> _modes = [];

    private sealed class Mode
    {
        public ConditionalWeakTable<ResolvedStack, ResolvedStack> Stacks { get; } = [];

        public ConditionalWeakTable<Location, Location> Locations { get; } = [];
    }

    public ResolvedStack Show(ResolvedStack stack, DemangleMode mode)
    {
        if (!_modes.TryGetValue(mode, out var shown))
        {
            _modes.Add(mode, shown = new Mode());
        }

        return shown.Stacks.GetValue(stack, original => new ResolvedStack([.. original.Frames.ToArray().Select(frame => Show(frame, mode, shown))]));
    }

    private static Location Show(Location location, DemangleMode mode, Mode shown) => shown.Locations.GetValue(location, original =>
    {
        var lines = original.Lines.Select(line => line with { Function = Show(line.Function, mode) }).ToList();
        return lines.SequenceEqual(original.Lines) ? original : original with { Lines = [.. lines] };
    });

    private static Function Show(Function function, DemangleMode mode) => function with { Name = Demangler.Demangle(function.SystemName, mode) };
}
