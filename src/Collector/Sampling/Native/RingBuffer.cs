using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>Takes one record. The span is gone when it returns.</summary>
internal delegate void RecordReader(ReadOnlySpan<byte> record);

/// <summary>Reads a BPF ring buffer. One thread at a time.</summary>
internal sealed unsafe class RingBuffer : IDisposable
{
    private const int Interrupted = 4;

    private readonly RingBufferHandle _handle;
    private readonly RecordReader _reader;
    private readonly string _name;
    private GCHandle _self;
    private Exception? _failure;

    /// <exception cref="BpfException">The kernel refused to map the buffer.</exception>
    public RingBuffer(string name, BpfMap map, RecordReader reader)
    {
        _name = name;
        _reader = reader;
        _self = GCHandle.Alloc(this);
        _handle = LibBpf.ring_buffer__new(map.File, &OnRecord, GCHandle.ToIntPtr(_self), options: 0);
        if (_handle.IsInvalid)
        {
            var errno = Marshal.GetLastPInvokeError();
            _self.Free();
            throw new BpfException($"open ring buffer {name}", errno);
        }
    }

    /// <summary>Reads what is there. Exceptions of the reader come out here.</summary>
    public void Consume() => Check(LibBpf.ring_buffer__consume(_handle));

    /// <summary>Waits for a record that was sent with wake-up, then reads what is there.</summary>
    public void Poll(TimeSpan timeout) => Check(LibBpf.ring_buffer__poll(_handle, (int)timeout.TotalMilliseconds));

    public void Dispose()
    {
        _handle.Dispose();
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    private void Check(int result)
    {
        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        if (result < 0 && result != -Interrupted)
        {
            throw new BpfException($"read ring buffer {_name}", -result);
        }
    }

    /// <summary>An exception must not cross native frames: it is kept, and thrown by <see cref="Check"/>.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnRecord(nint context, byte* data, nuint size)
    {
        var ring = (RingBuffer)GCHandle.FromIntPtr(context).Target!;
        try
        {
            ring._reader(new ReadOnlySpan<byte>(data, (int)size));
        }
#pragma warning disable CA1031 // whatever it is, it is rethrown on the managed side
        catch (Exception failure)
#pragma warning restore CA1031
        {
            ring._failure ??= failure;
        }

        return 0;
    }
}
