using System.Runtime.CompilerServices;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Collector.Stacks;

/// <summary>Puts the names of JavaScript functions in the place of the code that V8 made of them, or that interprets them.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class JavaScriptFrames
{
    private readonly ConditionalWeakTable<V8Name, Location> _locations = [];
    private readonly List<Location> _merged = [];

    /// <summary>Merges <paramref name="functions"/> into the native frames from <paramref name="first"/> on, both innermost first.</summary>
    /// <param name="isInFile">Whether the code of a native frame, by index, is in a file: V8's own, else generated from the function.</param>
    /// <remarks>
    /// V8's own code may run in the frame of the function that called it, without one of its own. Then it is shown, and above it the function, whose own
    /// address the walk has not met; but not so where it is the interpreter, which stands for the function, also where it has made itself a frame.
    /// </remarks>
    public void Merge(List<Location> frames, int first, ReadOnlySpan<V8Frame> functions, Func<int, bool> isInFile)
    {
        _merged.Clear();
        for (var i = 0; i < frames.Count - first; i++)
        {
            var native = frames[first + i];
            while (functions.Length > 0 && functions[0].Index < i)
            {
                functions = functions[1..];
            }

            var isInterpreter = isInFile(i) && V8Runtime.IsInterpreter(native.Lines[^1].Function.SystemName);
            if (NameAt(functions, i) is { } name && !(isInFile(i) && functions[0].IsEntered && !isInterpreter))
            {
                if (isInFile(i) && !isInterpreter)
                {
                    _merged.Add(native);
                }

                _merged.Add(LocationOf(name));
            }
            else if (!isInterpreter || NameAt(functions, i + 1) is null)
            {
                _merged.Add(native);
            }
        }

        frames.RemoveRange(first, frames.Count - first);
        frames.AddRange(_merged);
    }

    /// <summary>The name of the frame at an index, where that comes next and is one that is shown.</summary>
    private static V8Name? NameAt(ReadOnlySpan<V8Frame> functions, int index) =>
        functions.Length > 0 && functions[0].Index == index && functions[0].Function.Name is { IsBuiltin: false } name ? name : null;

    private Location LocationOf(V8Name name) => _locations.GetValue(name, static name =>
        new Location(
            Module: null,
            Address: 0,
            [new Line(new Function(name.Text, name.Text, name.File, name.Line), name.Line)],
            IsSymbolized: true));
}
