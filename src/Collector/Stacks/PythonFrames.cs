using System.Runtime.CompilerServices;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Collector.Stacks;

/// <summary>
/// Puts Python's frames where they belong in a native stack: in the place of the calls of the interpreter's loop that ran them.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class PythonFrames
{
    private static readonly Location _unnamed =
        new(Module: null, Address: 0, [new Line(new Function("[python]", "[python]"), Number: 0)], IsSymbolized: false);

    private readonly ConditionalWeakTable<PythonFunction, Location> _locations = [];
    private readonly List<Location> _merged = [];

    /// <summary>Merges <paramref name="python"/> into the native frames from <paramref name="first"/> on, both innermost first.</summary>
    /// <remarks>Frames that no call of the loop stands for (a stack cut short, a loop without name) are kept at the outer end.</remarks>
    public void Merge(List<Location> frames, int first, ReadOnlySpan<PythonFrame> python)
    {
        _merged.Clear();
        var hasPython = python.Length > 0;
        foreach (var native in frames[first..])
        {
            if (hasPython && IsTrampoline(native))
            {
                continue;
            }

            if (python.Length > 0 && IsLoop(native))
            {
                python = TakeCall(python);
            }
            else
            {
                _merged.Add(native);
            }
        }

        while (python.Length > 0)
        {
            python = TakeCall(python);
        }

        frames.RemoveRange(first, frames.Count - first);
        frames.AddRange(_merged);
    }

    /// <summary>Adds the frames of one call of the loop: up to and with the one it was entered with. Returns the rest.</summary>
    private ReadOnlySpan<PythonFrame> TakeCall(ReadOnlySpan<PythonFrame> python)
    {
        for (var i = 0; i < python.Length; i++)
        {
            if (!python[i].IsShim)
            {
                _merged.Add(LocationOf(python[i].Function));
            }

            if (python[i].IsEntry)
            {
                return python[(i + 1)..];
            }
        }

        return [];
    }

    /// <summary>With <c>-X perf</c> each function has one, named after it in a perf map. Source: Python/perf_trampoline.c.</summary>
    private static bool IsTrampoline(Location location) => location.Lines is [.., var line] && line.Function.SystemName.StartsWith("py::", StringComparison.Ordinal);

    private static bool IsLoop(Location location) =>
        location.Lines[^1].Function.SystemName is var name && name.StartsWith(PythonRuntime.Loop, StringComparison.Ordinal)
        && (name.Length == PythonRuntime.Loop.Length || name[PythonRuntime.Loop.Length] == '.');

    private Location LocationOf(PythonFunction? function) => function is null ? _unnamed : _locations.GetValue(function, static function =>
        new Location(
            Module: null,
            Address: 0,
            [new Line(new Function(function.Name, function.Name, function.File, function.FirstLine), function.FirstLine)],
            IsSymbolized: true));
}
