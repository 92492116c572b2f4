using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Sampling;

/// <summary>A process that has been sampled.</summary>
internal sealed class KnownProcess(ProcessIdentity identity, string comm)
{
    public ProcessIdentity Identity => identity;

    /// <summary>Name of the thread that was seen first.</summary>
    public string Comm => comm;

    /// <summary>
    /// What could be read of it, null when it was gone before. Replaced as a whole when its mappings grow; written by the
    /// sampling thread, read by others.
    /// </summary>
    public ProcessImage? Image
    {
        get => Volatile.Read(ref _image);
        set => Volatile.Write(ref _image, value);
    }

    /// <summary>Layout of the Python interpreter it runs, or null. Set before its first interpreted frame is recorded; kept when it ends.</summary>
    public PythonLayout? Python { get; set; }

    /// <summary>Whether <see cref="V8"/> says all there is to know.</summary>
    public bool IsV8Sought { get; set; }

    /// <summary>Whether <see cref="Python"/> says all there is to know.</summary>
    public bool IsInterpreterSought { get; set; }

    /// <summary>The JavaScript engine it runs, or null. Set before its first frame is recorded; kept when it ends.</summary>
    public V8Process? V8 { get; set; }

    /// <summary>The JVM it runs, or null. Kept when it ends.</summary>
    public JavaProcess? Java { get; set; }

    /// <summary>How often code of one file took the place of another's: names of addresses from before are others now. Written by the sampling thread.</summary>
    public int Replacements
    {
        get => Volatile.Read(ref _replacements);
        set => Volatile.Write(ref _replacements, value);
    }

    /// <summary>It no longer runs; what is known of it stays until its last stacks are forgotten.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The last interval in which it was seen.</summary>
    public long LastRound { get; set; }

    private ProcessImage? _image;
    private int _replacements;

    /// <summary>Takes over what is known of the same process under another identity.</summary>
    public void TakeInterpreters(KnownProcess other) =>
        (Python, IsInterpreterSought, V8, IsV8Sought, Java) = (other.Python, other.IsInterpreterSought, other.V8, other.IsV8Sought, other.Java);
}
