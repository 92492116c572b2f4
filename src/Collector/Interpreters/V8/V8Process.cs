using System.Collections.Concurrent;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>The JavaScript functions of one process that samples have shown.</summary>
/// <remarks>The sampling thread finds and asks; one reading thread at a time answers.</remarks>
internal sealed class V8Process(ProcessIdentity identity, V8Metadata metadata)
{
    private const int MostFunctions = 16_384;
    private const int RoundsKept = 10;

    private readonly Dictionary<ulong, V8Function> _functions = [];
    private readonly ConcurrentQueue<V8Function> _wanted = new();
    private readonly V8FunctionReader _reader = new(metadata);
    private int _version;
    private int _isInWork;

    public ProcessIdentity Identity => identity;

    public V8Metadata Metadata => metadata;

    /// <summary>Grows whenever a name becomes known or another one.</summary>
    public int Version => Volatile.Read(ref _version);

    public int Count => _functions.Count;

    /// <summary>The function at an address, read already or asked for now.</summary>
    public V8Function Find(ulong address, long round)
    {
        if (!_functions.TryGetValue(address, out var function))
        {
            if (_functions.Count >= MostFunctions)
            {
                _functions.Clear();
            }

            function = new V8Function(address);
            _functions.Add(address, function);
            _wanted.Enqueue(function);
        }

        function.LastRound = round;
        return function;
    }

    /// <summary>Ends an interval: asks again for what it has seen, for the garbage collector may have moved it; forgets what was not seen for some time.</summary>
    public void EndRound(long round)
    {
        foreach (var (address, function) in _functions)
        {
            if (round - function.LastRound > RoundsKept)
            {
                _functions.Remove(address);
            }
            else if (function.LastRound == round)
            {
                _wanted.Enqueue(function);
            }
        }
    }

    /// <summary>Whether a reading thread has to be found. Then <see cref="Read"/> must follow.</summary>
    public bool TryBegin() => !_wanted.IsEmpty && Interlocked.CompareExchange(ref _isInWork, 1, 0) == 0;

    /// <summary>Reads what was asked for.</summary>
    /// <param name="memory">The process's; null when it is gone.</param>
    public void Read(IByteSource? memory)
    {
        var heap = memory is null ? null : new V8Heap(memory, metadata);
        while (_wanted.TryDequeue(out var function))
        {
            if (heap is not null)
            {
                Read(heap, function);
            }
        }

        Volatile.Write(ref _isInWork, 0);
    }

    private void Read(V8Heap heap, V8Function function)
    {
        var words = _reader.Look(heap, function.Address);
        if (words == function.Words && function.Name is not null)
        {
            return;
        }

        var name = words == default ? null : _reader.Read(heap, function.Address, words);
        if (name is not null && name != function.Name)
        {
            (function.Name, function.Words) = (name, words);
            Interlocked.Increment(ref _version);
        }
    }
}
