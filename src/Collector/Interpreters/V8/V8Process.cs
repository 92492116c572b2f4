using System.Collections.Concurrent;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>The JavaScript functions of one process that samples have shown.</summary>
internal sealed class V8Process(ProcessIdentity identity, V8Metadata metadata) : SeenPlaces<V8Function>(identity)
{
    private readonly V8FunctionReader _reader = new(metadata);

    public V8Metadata Metadata => metadata;

    protected override V8Function Make(ulong address) => new(address);

    /// <summary>The garbage collector may move any of them.</summary>
    protected override bool MayChange(V8Function place) => true;

    protected override void Read(IByteSource? memory, ConcurrentQueue<V8Function> wanted)
    {
        var heap = memory is null ? null : new V8Heap(memory, metadata);
        while (wanted.TryDequeue(out var function))
        {
            if (heap is not null)
            {
                Read(heap, function);
            }
        }
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
            Change();
        }
    }
}
