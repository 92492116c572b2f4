using System.Collections.Concurrent;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Names the frames of Java in stack records, which are read from the memory of their JVMs in the background.</summary>
/// <remarks>All but the reading belongs to the sampling thread.</remarks>
/// <param name="unread">Counts what could not be read, by reason.</param>
internal sealed class JavaNames(ConcurrentDictionary<string, long> unread, TimeProvider time)
{
    private const int IndexShift = 56;
    private const ulong AddressMask = (1ul << IndexShift) - 1;

    private readonly MemoryReaders _readers = new(unread, "jvm_busy", time);
    private readonly Dictionary<ProcessIdentity, JavaProcess> _processes = [];
    private long _round;

    /// <summary>Begins with a process that runs a JVM.</summary>
    /// <param name="library">libjvm.so as the process maps it.</param>
    public JavaProcess Add(ProcessIdentity identity, MappedFile library) =>
        _processes.TryGetValue(identity, out var known) ? known : _processes[identity] = new JavaProcess(identity, library, unread);

    /// <summary>The process has ended and its stacks are forgotten.</summary>
    public void Forget(ProcessIdentity identity) => _processes.Remove(identity);

    /// <summary>The frames of a stack that run code of the JVM's making.</summary>
    /// <param name="image">Tells such code from that of files; null when it could not be read.</param>
    /// <param name="addresses">Of the user frames, innermost first.</param>
    /// <param name="words">One for each interpreted frame, see bpf/v8.h.</param>
    public JavaFrame[] Read(JavaProcess process, ProcessImage? image, ReadOnlySpan<ulong> addresses, ReadOnlySpan<ulong> words)
    {
        var frames = new List<JavaFrame>();
        for (var i = 0; i < addresses.Length; i++)
        {
            if (words.Length > 0 && (int)(words[0] >> IndexShift) == i)
            {
                frames.Add(new JavaFrame(i, process.FindMethod(words[0] & AddressMask, _round)));
                words = words[1..];
            }
            else if (image?.Find(addresses[i] - (i > 0 ? 1u : 0)) is not { Mapping.Path.Length: > 0 })
            {
                frames.Add(new JavaFrame(i, process.Find(addresses[i], _round)));
            }
        }

        _readers.Request(process);
        return [.. frames];
    }

    /// <summary>A stack that is known already has been seen again.</summary>
    public void See(ReadOnlySpan<JavaFrame> frames)
    {
        foreach (var frame in frames)
        {
            frame.Code.LastRound = _round;
        }
    }

    /// <summary>Lets names that are on their way arrive.</summary>
    /// <param name="limit">Longest wait.</param>
    public void Wait(TimeSpan limit) => _readers.Wait(limit);

    /// <summary>Ends an interval.</summary>
    public void EndRound()
    {
        foreach (var process in _processes.Values)
        {
            process.EndRound(_round);
            _readers.Request(process);
        }

        _round++;
    }
}
