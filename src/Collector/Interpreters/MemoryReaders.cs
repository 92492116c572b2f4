using System.Collections.Concurrent;
using System.Threading.Channels;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>What is wanted of the memory of one process, read by one thread at a time.</summary>
internal interface IMemoryReader
{
    ProcessIdentity Identity { get; }

    /// <summary>Ends an interval.</summary>
    /// <param name="round">Its number.</param>
    void EndRound(long round);

    /// <summary>Whether there is something to read that nobody reads yet. Then <see cref="Read"/> must follow.</summary>
    bool TryBegin();

    /// <summary>Reads what was asked for.</summary>
    /// <param name="memory">The process's; null when it is gone.</param>
    void Read(IByteSource? memory);
}

/// <summary>Threads that read the memory of processes in the background.</summary>
/// <remarks>
/// Belongs to one thread. Reading a hostile process may never end: each process has one reader at a time, and with all readers lost, names that are known stay.
/// </remarks>
/// <param name="unread">Counts, under <paramref name="reason"/>, what was not read because too many processes wait.</param>
internal sealed class MemoryReaders(ConcurrentDictionary<string, long> unread, string reason, TimeProvider time)
{
    private const int Readers = 4;
    private const int MostWaiting = 4096;

    /// <summary>How long names may be on their way before nobody waits for them any more.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly Channel<IMemoryReader> _asked = Channel.CreateBounded<IMemoryReader>(MostWaiting);
    private int _readers;
    private int _inWork;
    private long _lastRequest;

    /// <summary>Has a process read, if there is something to read.</summary>
    public void Request(IMemoryReader process)
    {
        if (!process.TryBegin())
        {
            return;
        }

        _lastRequest = time.GetTimestamp();
        Interlocked.Increment(ref _inWork);
        if (!_asked.Writer.TryWrite(process))
        {
            unread.AddOrUpdate(reason, 1, (_, before) => before + 1);
            process.Read(memory: null);
            Interlocked.Decrement(ref _inWork);
            return;
        }

        if (_readers < Readers)
        {
            _readers++;
            _ = Task.Factory.StartNew(ReadAllAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
        }
    }

    /// <summary>Lets what is on its way arrive.</summary>
    /// <param name="limit">Longest wait.</param>
    public void Wait(TimeSpan limit)
    {
        if (Volatile.Read(ref _inWork) > 0 && time.GetElapsedTime(_lastRequest) < _patience)
        {
            SpinWait.SpinUntil(() => Volatile.Read(ref _inWork) == 0, limit);
        }
    }

    private async Task ReadAllAsync()
    {
        await foreach (var process in _asked.Reader.ReadAllAsync())
        {
            using (var memory = ProcessMemory.Open(process.Identity))
            {
                process.Read(memory);
            }

            Interlocked.Decrement(ref _inWork);
        }
    }
}
