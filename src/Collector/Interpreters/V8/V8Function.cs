namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>What a JavaScript function is called.</summary>
/// <param name="Text">As in a stack trace of Node.js: its name, the one inferred where it has none, or <c>(anonymous)</c>.</param>
/// <param name="File">Path or URL of its script; "" for code without one.</param>
/// <param name="Line">Where it begins; 0 when unknown.</param>
/// <param name="IsBuiltin">Of V8 itself, without a script: what its code is called says as much.</param>
internal sealed record V8Name(string Text, string File, int Line, bool IsBuiltin);

/// <summary>The function whose SharedFunctionInfo is at an address of a process. The garbage collector may put another one there.</summary>
internal sealed class V8Function(ulong address) : SeenPlace(address)
{
    private V8Name? _name;

    /// <summary>Null until it has been read, and when it cannot be. Written by a reading thread.</summary>
    public V8Name? Name
    {
        get => Volatile.Read(ref _name);
        set => Volatile.Write(ref _name, value);
    }

    /// <summary>The words it was read from: while they are the same, so is it. Of the reading thread.</summary>
    public V8Words Words { get; set; }
}

/// <summary>Fields of a SharedFunctionInfo; none is 0 in one that could be read.</summary>
internal readonly record struct V8Words(ulong NameOrScope, ulong Script);

/// <summary>One frame of a JavaScript function in a stack.</summary>
/// <param name="Index">Of the native frame that it is.</param>
/// <param name="IsEntered">The function is about to make its frame, if the native code is generated from it; else it is only about to be called.</param>
internal readonly record struct V8Frame(int Index, V8Function Function, bool IsEntered = false);
