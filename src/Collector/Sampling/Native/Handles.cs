using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>Owns a <c>struct bpf_object *</c> with its programs and maps: closing it unloads them.</summary>
internal sealed class BpfObjectHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibBpf.bpf_object__close(handle);
        return true;
    }
}

/// <summary>Owns a <c>struct bpf_link *</c>: destroying it detaches the program and closes the perf event.</summary>
internal sealed class BpfLinkHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => LibBpf.bpf_link__destroy(handle) == 0;
}

/// <summary>Owns a <c>struct ring_buffer *</c>, the reading side of a BPF ring buffer.</summary>
internal sealed class RingBufferHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibBpf.ring_buffer__free(handle);
        return true;
    }
}

/// <summary>Owns a shared mapping of a BPF array map's values.</summary>
internal sealed class MappedValues : SafeHandle
{
    private readonly nuint _length;

    /// <exception cref="BpfException">The map is not mmapable, or memory is short.</exception>
    public MappedValues(int map, nuint length)
        : base(-1, ownsHandle: true)
    {
        _length = length;
        SetHandle(LibC.mmap(0, length, LibC.ReadWrite, LibC.MapShared, map, 0));
        if (IsInvalid)
        {
            throw new BpfException($"mmap {length} bytes of a BPF map", Marshal.GetLastPInvokeError());
        }
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>The values as <typeparamref name="T"/>; valid until this is disposed.</summary>
    public unsafe Span<T> AsSpan<T>()
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        return new Span<T>((void*)handle, (int)(_length / (nuint)sizeof(T)));
    }

    protected override bool ReleaseHandle() => LibC.munmap(handle, _length) == 0;
}
