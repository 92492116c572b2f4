using System.Collections.Concurrent;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Names the frames of Java in stack records.</summary>
/// <param name="unread">Counts what could not be read, by reason.</param>
internal sealed class JavaNames(ConcurrentDictionary<string, long> unread, TimeProvider time) : MemoryNames<JavaProcess>(unread, "jvm_busy", time)
{
    private readonly ConcurrentDictionary<string, long> _unread = unread;

    /// <summary>Begins with a process that runs a JVM.</summary>
    /// <param name="library">libjvm.so as the process maps it.</param>
    public JavaProcess Add(ProcessIdentity identity, MappedFile library) => Add(identity, () => new JavaProcess(identity, library, _unread));

    /// <summary>The frames of a stack that run code of the JVM's making.</summary>
    /// <param name="image">Tells such code from that of files; null when it could not be read.</param>
    /// <param name="addresses">Of the user frames, innermost first.</param>
    /// <param name="words">One for each interpreted frame, see bpf/v8.h.</param>
    public JavaFrame[] Read(JavaProcess process, ProcessImage? image, ReadOnlySpan<ulong> addresses, ReadOnlySpan<ulong> words)
    {
        var frames = new List<JavaFrame>();
        for (var i = 0; i < addresses.Length; i++)
        {
            if (words.Length > 0 && FrameOf(words[0]) is var (index, method) && index == i)
            {
                frames.Add(new JavaFrame(i, process.FindMethod(method, Round)));
                words = words[1..];
            }
            else if (image?.Find(addresses[i] - (i > 0 ? 1u : 0)) is not { Mapping.Path.Length: > 0 })
            {
                frames.Add(new JavaFrame(i, process.Find(addresses[i], Round)));
            }
        }

        Request(process);
        return [.. frames];
    }

    /// <summary>A stack that is known already has been seen again.</summary>
    public void See(ReadOnlySpan<JavaFrame> frames)
    {
        foreach (var frame in frames)
        {
            frame.Code.LastRound = Round;
        }
    }
}
