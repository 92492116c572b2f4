using System.Runtime.CompilerServices;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Collector.Stacks;

/// <summary>Puts the names of Java methods in the place of the code that HotSpot made of them, or that interprets them.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class JavaFrames
{
    private readonly ConditionalWeakTable<JavaCall[], Location> _locations = [];

    /// <summary>Names those of the native frames from <paramref name="first"/> on that are known; the others stay as they are.</summary>
    /// <param name="frames">Innermost first.</param>
    public void Name(List<Location> frames, int first, ReadOnlySpan<JavaFrame> java)
    {
        foreach (var frame in java)
        {
            if (first + frame.Index < frames.Count && frame.Code.Calls is { Length: > 0 } calls)
            {
                frames[first + frame.Index] = _locations.GetValue(calls, LocationOf);
            }
        }
    }

    private static Location LocationOf(JavaCall[] calls) => new(
        Module: null,
        Address: 0,
        [.. calls.Select(call => new Line(new Function(call.Method.Name, call.Method.Name, call.Method.File), call.Line))],
        IsSymbolized: true);
}
