using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.DotNet;

/// <summary>The sparse arrays, hash tables and numbers that the .NET compiler writes into precompiled code.</summary>
/// <remarks>Source: dotnet/runtime, docs/design/coreclr/botr/readytorun-format.md and src/coreclr/vm/nativeformatreader.h at v10.0.0.</remarks>
internal static class NativeFormat
{
    private const uint BlockSize = 16;
    private const int LargestBucketBits = 24;

    /// <summary>A number of 1 to 5 bytes; <paramref name="at"/> moves behind it.</summary>
    /// <exception cref="FormatException">It is cut off, or longer.</exception>
    public static uint Unsigned(ReadOnlySpan<byte> bytes, ref uint at)
    {
        var first = U8(bytes, at);
        var length = System.Numerics.BitOperations.TrailingZeroCount(~(uint)first) + 1;
        if (length > 5)
        {
            throw new FormatException($"number that begins with {first:x} at {at:x}");
        }

        ulong value = 0;
        for (var i = 0u; i < length; i++)
        {
            value |= (ulong)U8(bytes, at + i) << (int)(8 * i);
        }

        at += (uint)length;
        return (uint)(value >> (length == 5 ? 8 : length));
    }

    /// <summary>Positions of the elements of a sparse array: (index, position).</summary>
    /// <exception cref="FormatException">The array is malformed.</exception>
    public static List<(uint Index, uint At)> ReadArray(ReadOnlySpan<byte> bytes, uint at, int limit)
    {
        var header = Unsigned(bytes, ref at);
        var (count, width) = (header >> 2, header & 3);
        if (count > limit)
        {
            throw new FormatException($"array of {count} elements, more than {limit}");
        }

        var found = new List<(uint, uint)>();
        for (uint index = 0; index < count; index++)
        {
            var slot = at + (index / BlockSize << (int)width);
            var block = width switch { 0 => U8(bytes, slot), 1 => BinaryPrimitives.ReadUInt16LittleEndian(At(bytes, slot, 2)), _ => BinaryPrimitives.ReadUInt32LittleEndian(At(bytes, slot, 4)) };
            if (FindInBlock(bytes, checked(at + block), index) is { } position)
            {
                found.Add((index, position));
            }
        }

        return found;
    }

    /// <summary>Positions of all entries of a hash table.</summary>
    /// <exception cref="FormatException">The table is malformed or has more than <paramref name="limit"/> entries.</exception>
    public static List<uint> ReadTable(ReadOnlySpan<byte> bytes, uint at, int limit)
    {
        var header = U8(bytes, at++);
        var (width, bits) = (header & 3, header >> 2);
        if (bits > LargestBucketBits || width == 3)
        {
            throw new FormatException($"hash table with header {header:x}");
        }

        var found = new List<uint>();
        var end = Bucket(bytes, at, 1u << bits, width);
        for (var entry = Bucket(bytes, at, 0, width); entry < end;)
        {
            if (found.Count >= limit)
            {
                throw new FormatException($"hash table of more than {limit} entries");
            }

            entry++; // low byte of the hash
            var from = entry;
            found.Add(unchecked(from + (uint)Signed(bytes, ref entry)));
        }

        return found;
    }

    private static uint Bucket(ReadOnlySpan<byte> bytes, uint table, uint index, int width) => checked(table + (width switch
    {
        0 => U8(bytes, table + index),
        1 => BinaryPrimitives.ReadUInt16LittleEndian(At(bytes, checked(table + index * 2), 2)),
        _ => BinaryPrimitives.ReadUInt32LittleEndian(At(bytes, checked(table + index * 4), 4)),
    }));

    /// <summary>As <see cref="Unsigned"/>, but the sign is extended.</summary>
    private static int Signed(ReadOnlySpan<byte> bytes, ref uint at)
    {
        var start = at;
        var value = Unsigned(bytes, ref at);
        var bits = (at - start) switch { 1 => 7, 2 => 14, 3 => 21, 4 => 28, _ => 32 };
        return (int)(value << (32 - bits)) >> (32 - bits);
    }

    /// <summary>A block is a binary tree over 16 elements.</summary>
    private static uint? FindInBlock(ReadOnlySpan<byte> bytes, uint at, uint index)
    {
        for (var bit = BlockSize >> 1; bit > 0; bit >>= 1)
        {
            var after = at;
            var node = Unsigned(bytes, ref after);
            if ((index & bit) != 0 && (node & 2) != 0)
            {
                at = checked(at + (node >> 2));
            }
            else if ((index & bit) == 0 && (node & 1) != 0)
            {
                at = after;
            }
            else
            {
                return (node & 3) == 0 && node >> 2 == (index & (BlockSize - 1)) ? after : null;
            }
        }

        return at;
    }

    private static byte U8(ReadOnlySpan<byte> bytes, uint at) => At(bytes, at, 1)[0];

    private static ReadOnlySpan<byte> At(ReadOnlySpan<byte> bytes, uint at, uint length) =>
        at <= (uint)bytes.Length && length <= (uint)bytes.Length - at ? bytes.Slice((int)at, (int)length) : throw new FormatException($"{length} bytes at {at:x} of {bytes.Length:x}");
}
