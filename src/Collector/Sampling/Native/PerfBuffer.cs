using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>The buffer of a perf event: the kernel writes records, one thread at a time reads them. Owns the event.</summary>
/// <remarks>Source: perf_event_open(2), "MMAP layout"; the barriers are those of tools/lib/perf/mmap.c.</remarks>
internal sealed unsafe class PerfBuffer : IDisposable
{
    /// <summary>Below what perf_event_mlock_kb allows per CPU, 516 KiB. A power of two pages; holds some thousand records.</summary>
    private const int DataBytes = 256 << 10;

    private const int HeadOffset = 1024;
    private const int TailOffset = 1032;
    private const int HeaderBytes = 8;
    private const int SizeOffset = 6;

    private readonly int _event;
    private readonly MappedValues _memory;
    private readonly byte[] _wrapped = new byte[ushort.MaxValue];

    /// <summary>Maps the buffer of an event, which it takes over, also when it throws.</summary>
    /// <exception cref="BpfException">The kernel refused to map it.</exception>
    public PerfBuffer(int perfEvent)
    {
        _event = perfEvent;
        try
        {
            _memory = new MappedValues(perfEvent, (nuint)(Environment.SystemPageSize + DataBytes));
        }
        catch (BpfException)
        {
            _ = LibC.close(perfEvent);
            throw;
        }
    }

    /// <summary>Gives each record, header first, to <paramref name="reader"/>.</summary>
    public void Read(RecordReader reader)
    {
        var memory = _memory.AsSpan<byte>();
        var data = memory[Environment.SystemPageSize..];
        ref var tailPlace = ref MemoryMarshal.AsRef<ulong>(memory[TailOffset..]);
        var head = Volatile.Read(ref MemoryMarshal.AsRef<ulong>(memory[HeadOffset..]));
        var tail = tailPlace;
        while (head - tail >= HeaderBytes)
        {
            var at = (int)(tail & (DataBytes - 1));
            var size = BitConverter.ToUInt16(data[(at + SizeOffset)..]); // records are multiples of 8 bytes, so a header is never cut
            if (size < HeaderBytes || size > head - tail)
            {
                break;
            }

            reader(At(data, at, size));
            tail += size;
        }

        Volatile.Write(ref tailPlace, tail);
    }

    public void Dispose()
    {
        _memory.Dispose();
        _ = LibC.close(_event);
    }

    private ReadOnlySpan<byte> At(ReadOnlySpan<byte> data, int at, int size)
    {
        var untilEnd = data.Length - at;
        if (size <= untilEnd)
        {
            return data.Slice(at, size);
        }

        data[at..].CopyTo(_wrapped);
        data[..(size - untilEnd)].CopyTo(_wrapped.AsSpan(untilEnd));
        return _wrapped.AsSpan(0, size);
    }
}
