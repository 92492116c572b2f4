namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>A place in the code of a JVM that a sample has shown: an address of compiled code, or a method that the interpreter runs.</summary>
/// <param name="address">Of the instruction, or of the method's description.</param>
internal sealed class JavaCode(ulong address, bool isMethod)
{
    private JavaCall[]? _calls;

    public ulong Address => address;

    public bool IsMethod => isMethod;

    /// <summary>What runs there, innermost first; null until it has been read, empty when it cannot be. Written by a reading thread.</summary>
    public JavaCall[]? Calls
    {
        get => Volatile.Read(ref _calls);
        set => Volatile.Write(ref _calls, value);
    }

    /// <summary>The last interval that saw it. Of the sampling thread.</summary>
    public long LastRound { get; set; }
}

/// <summary>One frame of Java in a stack.</summary>
/// <param name="Index">Of the native frame that it is.</param>
internal readonly record struct JavaFrame(int Index, JavaCode Code);
