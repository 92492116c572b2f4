using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.V8;

namespace ActorProfiler.Collector.Sampling;

/// <summary>One distinct stack of one process, as the kernel recorded it. The same object comes back in every interval that sees it again.</summary>
/// <param name="Process">Whose stack.</param>
/// <param name="Addresses">User addresses, innermost first, then kernel addresses, innermost first.</param>
/// <param name="UserFrames">How many of them are user addresses.</param>
/// <param name="Python">Interpreted frames, innermost first.</param>
/// <param name="V8">The JavaScript functions of user frames, by index.</param>
/// <param name="Java">What the JVM's code in user frames runs, by index.</param>
/// <param name="Weight">One tick stands for this many.</param>
/// <param name="Ending">How the walk of the user stack ended.</param>
internal sealed record RawStack(
    KnownProcess Process, ulong[] Addresses, int UserFrames, PythonFrame[] Python, V8Frame[] V8, JavaFrame[] Java, uint Weight, WalkEnding Ending, RecordFlags Flags)
{
    /// <summary>The last interval it was seen in; the stack table forgets stacks by it.</summary>
    public long LastRound { get; set; }

    /// <summary>Grows when its names may have changed: those of JavaScript functions and of Java methods come after the stack.</summary>
    public int NameVersion => V8.Length > 0 ? Process.V8?.Version ?? 0 : Java.Length > 0 ? Process.Java?.Version ?? 0 : 0;

    public ReadOnlySpan<ulong> User => Addresses.AsSpan(0, UserFrames);

    public ReadOnlySpan<ulong> Kernel => Addresses.AsSpan(UserFrames);

    public bool Equals(RawStack? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
}

/// <summary>A stack and how often it was seen in one interval.</summary>
internal readonly record struct CountedStack(RawStack Stack, long Ticks);
