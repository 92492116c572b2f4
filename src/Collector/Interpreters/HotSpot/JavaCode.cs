namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>A place in the code of a JVM: an address of compiled code, or the description of a method that the interpreter runs.</summary>
internal sealed class JavaCode(ulong address, bool isMethod) : SeenPlace(address)
{
    private JavaCall[]? _calls;

    public bool IsMethod => isMethod;

    /// <summary>What runs there, innermost first; null until it has been read, empty when it cannot be. Written by a reading thread.</summary>
    public JavaCall[]? Calls
    {
        get => Volatile.Read(ref _calls);
        set => Volatile.Write(ref _calls, value);
    }
}

/// <summary>One frame of Java in a stack.</summary>
/// <param name="Index">Of the native frame that it is.</param>
internal readonly record struct JavaFrame(int Index, JavaCode Code);
