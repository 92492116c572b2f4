using System.Collections.Concurrent;
using System.Threading.Channels;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Makes unwind tables of the code of JVMs, in the background.</summary>
/// <remarks>
/// <see cref="Request"/>, <see cref="TryTake"/> and <see cref="Forget"/> belong to one thread, and none of them waits: reading a hostile process may never
/// end. Then one of the <see cref="Readers"/> is lost; with all lost, JVMs are walked by frame pointers.
/// </remarks>
/// <param name="unread">Counts the JVMs whose code could not be listed, by reason.</param>
internal sealed class HotSpotTables(UnwindRules rules, ConcurrentDictionary<string, long> unread, TimeProvider time)
{
    private const int Readers = 2;
    private const int MostWaiting = 1024;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly Channel<(ProcessImage Image, MappedFile Library)> _wanted = Channel.CreateBounded<(ProcessImage, MappedFile)>(MostWaiting);
    private readonly ConcurrentQueue<(ProcessIdentity Process, UnwindTable? Table)> _made = new();
    private readonly Dictionary<ProcessIdentity, ProcessImage> _asked = [];
    private int _readers;
    private int _inWork;
    private long _lastRequest;

    /// <summary>A table is about to come: it is worth looking soon.</summary>
    public bool IsBusy => Volatile.Read(ref _inWork) > 0 && time.GetElapsedTime(_lastRequest) < _patience;

    /// <summary>Asks for the table of a process, if it is a JVM; once for each image read of it. When too many wait, the next call asks again.</summary>
    public void Request(ProcessImage image)
    {
        if ((_asked.TryGetValue(image.Identity, out var before) && ReferenceEquals(before, image)) || JvmLibrary.In(image) is not { File: not null } library)
        {
            return;
        }

        Interlocked.Increment(ref _inWork);
        if (!_wanted.Writer.TryWrite((image, library)))
        {
            Interlocked.Decrement(ref _inWork);
            return;
        }

        _asked[image.Identity] = image;
        _lastRequest = time.GetTimestamp();
        if (_readers < Readers)
        {
            _readers++;
            _ = Task.Factory.StartNew(ReadAllAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        }
    }

    /// <summary>A table made since the last call.</summary>
    public bool TryTake(out ProcessIdentity process, out UnwindTable table)
    {
        while (_made.TryDequeue(out var made))
        {
            Interlocked.Decrement(ref _inWork);
            if (made.Table is not null)
            {
                (process, table) = (made.Process, made.Table);
                return true;
            }
        }

        (process, table) = (default, null!);
        return false;
    }

    /// <summary>The process has ended.</summary>
    public void Forget(ProcessIdentity process) => _asked.Remove(process);

    private async Task ReadAllAsync()
    {
        await foreach (var (image, library) in _wanted.Reader.ReadAllAsync())
        {
            _made.Enqueue((image.Identity, Read(image, library)));
        }
    }

    private UnwindTable? Read(ProcessImage image, MappedFile library)
    {
        using var memory = ProcessMemory.Open(image.Identity);
        if (memory is null)
        {
            return null; // gone
        }

        try
        {
            return HotSpotFrames.Read(library, memory, rules);
        }
        catch (FormatException)
        {
            unread.AddOrUpdate("jvm_malformed", 1, (_, before) => before + 1);
            return null;
        }
    }
}
