using System.Collections.Concurrent;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Names the JavaScript functions of stack records.</summary>
/// <param name="unread">Counts what could not be read, by reason.</param>
internal sealed class V8Names(ConcurrentDictionary<string, long> unread, TimeProvider time) : MemoryNames<V8Process>(unread, "v8_busy", time)
{
    private const ulong Entered = 1ul << 55; // V8_ENTERED in bpf/v8.h

    /// <summary>Begins with a process that runs V8.</summary>
    public V8Process Add(ProcessIdentity identity, V8Metadata metadata) => Add(identity, () => new V8Process(identity, metadata));

    /// <summary>The frames of a record.</summary>
    /// <param name="words">One for each frame, see bpf/v8.h.</param>
    public V8Frame[] Read(V8Process? process, ReadOnlySpan<ulong> words)
    {
        if (process is null)
        {
            return [];
        }

        var frames = new V8Frame[words.Length];
        for (var i = 0; i < frames.Length; i++)
        {
            var (index, address) = FrameOf(words[i]);
            frames[i] = new V8Frame(index, process.Find(address & ~Entered, Round), (address & Entered) != 0);
        }

        Request(process);
        return frames;
    }

    /// <summary>A stack that is known already has been seen again.</summary>
    public void See(ReadOnlySpan<V8Frame> frames)
    {
        foreach (var frame in frames)
        {
            frame.Function.LastRound = Round;
        }
    }
}
