using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling.Native;

/// <summary>One map of a loaded object. Keys and values must have exactly the map's sizes.</summary>
/// <remarks>Thread-safe as the kernel's map operations are.</remarks>
internal sealed unsafe class BpfMap(string name, nint pointer)
{
    private const int NoEntry = 2;
    private const int NoSpace = 7;

    internal nint Pointer => pointer;

    /// <summary>Valid after load; owned by the object.</summary>
    public int File => LibBpf.bpf_map__fd(pointer);

    /// <summary>To be set before load only. Of a ring buffer: its bytes, a power of two.</summary>
    public uint MaxEntries
    {
        get => LibBpf.bpf_map__max_entries(pointer);
        set => Check(LibBpf.bpf_map__set_max_entries(pointer, value), "resize");
    }

    /// <summary>The value of <paramref name="key"/>, or null.</summary>
    public TValue? Find<TKey, TValue>(TKey key)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        TValue value;
        return LibBpf.bpf_map_lookup_elem(File, &key, &value) == 0 ? value : null;
    }

    /// <summary>The values of all possible CPUs of entry <paramref name="index"/> of a per-CPU array.</summary>
    public void ReadPerCpu<TValue>(uint index, Span<TValue> values)
        where TValue : unmanaged
    {
        fixed (TValue* first = values)
        {
            Check(LibBpf.bpf_map_lookup_elem(File, &index, first), "read");
        }
    }

    /// <summary>Sets <paramref name="key"/>. False when the map is full.</summary>
    /// <exception cref="BpfException">The kernel refused for another reason.</exception>
    public bool Set<TKey, TValue>(TKey key, TValue value)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        var error = LibBpf.bpf_map_update_elem(File, &key, &value, flags: 0);
        if (error == -NoSpace)
        {
            return false;
        }

        Check(error, "update");
        return true;
    }

    /// <summary>False when there was no such key.</summary>
    public bool Remove<TKey>(TKey key)
        where TKey : unmanaged
    {
        var error = LibBpf.bpf_map_delete_elem(File, &key);
        if (error == -NoEntry)
        {
            return false;
        }

        Check(error, "delete from");
        return true;
    }

    /// <summary>Takes all entries out of a hash map. Returns how many; both spans must have room for <see cref="MaxEntries"/>.</summary>
    public int TakeAll<TKey, TValue>(Span<TKey> keys, Span<TValue> values)
        where TKey : unmanaged
        where TValue : unmanaged
    {
        ulong position;
        var count = Math.Min((uint)Math.Min(keys.Length, values.Length), MaxEntries);
        fixed (TKey* firstKey = keys)
        fixed (TValue* firstValue = values)
        {
            var error = LibBpf.bpf_map_lookup_and_delete_batch(File, null, &position, firstKey, firstValue, ref count, options: 0);

            // ENOENT says that the end was reached; count is right all the same.
            Check(error == -NoEntry ? 0 : error, "drain");
        }

        return (int)count;
    }

    private void Check(int error, string action)
    {
        if (error < 0)
        {
            throw new BpfException($"{action} BPF map {name}", -error);
        }
    }
}
