using System.Runtime.InteropServices;
using ActorProfiler.Collector.Sampling.Native;

namespace ActorProfiler.Collector.Sampling;

/// <summary>A range of words in one shard.</summary>
internal readonly record struct ShardRange(uint Shard, uint Start, uint Length);

/// <summary>The memory of unwind tables that BPF programs read: array maps of 4 MiB, made as needed, written through mmap.</summary>
/// <remarks>
/// A range given back may still be read by a program that runs: it is reused only after <see cref="Reclaim"/>, which the
/// session calls when the kernel has said that no old program runs any more. Not thread-safe.
/// </remarks>
/// <param name="outer">Map <c>shards</c>.</param>
/// <param name="mostShards">Memory budget in units of 4 MiB.</param>
internal sealed unsafe class UnwindShards(BpfMap outer, int mostShards) : IDisposable
{
    /// <summary><c>SHARD_WORDS</c> in bpf/unwind.h.</summary>
    public const uint Words = 1 << 20;

    private const int ArrayMap = 2;
    private const uint Mmapable = 1 << 10;

    private readonly List<Shard> _shards = [];
    private readonly List<ShardRange> _retired = [];

    private sealed record Shard(int File, MappedValues Values, WordAllocator Allocator);

    public int Count => _shards.Count;

    /// <summary>Words a range can have at most.</summary>
    public const uint LongestRange = Words;

    /// <summary>A range to write, or null when the budget is used up.</summary>
    public ShardRange? Take(uint length)
    {
        for (var i = 0; i < _shards.Count; i++)
        {
            if (_shards[i].Allocator.Take(length) is { } start)
            {
                return new ShardRange((uint)i, start, length);
            }
        }

        if (_shards.Count >= Math.Min(mostShards, (int)outer.MaxEntries) || length > Words)
        {
            return null;
        }

        AddShard();
        return Take(length);
    }

    /// <summary>The words of a range; valid until it is retired.</summary>
    public Span<uint> this[ShardRange range] =>
        _shards[(int)range.Shard].Values.AsSpan<uint>().Slice((int)range.Start, (int)range.Length);

    /// <summary>All words of a shard.</summary>
    public ReadOnlySpan<uint> this[uint shard] => _shards[(int)shard].Values.AsSpan<uint>();

    /// <summary>Gives a range back, for reuse after the next <see cref="Reclaim"/>.</summary>
    public void Retire(ShardRange range) => _retired.Add(range);

    /// <summary>To be called when no BPF program that ran at the time of <see cref="Retire"/> runs any more.</summary>
    public void Reclaim()
    {
        foreach (var range in _retired)
        {
            _shards[(int)range.Shard].Allocator.Return(range.Start, range.Length);
        }

        _retired.Clear();
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Values.Dispose();
            _ = LibC.close(shard.File);
        }

        _shards.Clear();
    }

    private void AddShard()
    {
        // struct bpf_map_create_opts of libbpf 1.1: size first, map_flags at 28.
        const int OptionsSize = 56;
        const int FlagsOffset = 28;
        var options = stackalloc byte[OptionsSize];
        new Span<byte>(options, OptionsSize).Clear();
        *(nuint*)options = OptionsSize;
        *(uint*)(options + FlagsOffset) = Mmapable;

        var file = LibBpf.bpf_map_create(ArrayMap, name: 0, keySize: sizeof(uint), valueSize: Words * sizeof(uint), maxEntries: 1, options);
        if (file < 0)
        {
            throw new BpfException("create a map for unwind tables", Marshal.GetLastPInvokeError());
        }

        var shard = new Shard(file, new MappedValues(file, Words * sizeof(uint)), new WordAllocator(Words));
        outer.Set((uint)_shards.Count, (uint)file);
        _shards.Add(shard);
    }
}
