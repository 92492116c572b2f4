using System.Buffers.Binary;
using System.Text;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Reads objects out of a process's JavaScript heap, which may hold anything: each read is checked, each search bounded.</summary>
/// <remarks>Nothing here throws: what cannot be is null. Not for several threads. Source: src/objects/{objects,string,map}.h of V8.</remarks>
/// <param name="memory">The process's memory, by address.</param>
internal sealed class V8Heap(IByteSource memory, V8Metadata metadata)
{
    /// <summary>What a pointer to an object has in its lowest bits; a small integer has 0 in the last.</summary>
    public const int Tag = 1;

    private const ulong TagMask = 3;
    private const ulong LastAddress = (1ul << 47) - 1;
    private const int MostParts = 64;
    private const int LongestChain = 8;

    /// <summary>Where the characters of a string are, in one piece.</summary>
    public readonly record struct FlatText(ulong Address, int Length, bool IsOneByte)
    {
        public int Width => IsOneByte ? 1 : 2;
    }

    public static bool IsObject(ulong word) => (word & TagMask) == Tag && word <= LastAddress;

    /// <summary>The value of a small integer, or null.</summary>
    public static int? Small(ulong word) => (uint)word == 0 ? (int)(word >> 32) : null;

    public bool TryRead(ulong address, Span<byte> buffer) =>
        address <= LastAddress && memory.ReadFully((long)address, buffer) == buffer.Length;

    /// <summary>A field of an object.</summary>
    public ulong? Word(ulong holder, int offset)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        return TryRead(unchecked(holder + (ulong)(long)offset), bytes) ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : null;
    }

    /// <summary>The object that a field points at, or null.</summary>
    public ulong? Object(ulong holder, int offset) => Word(holder, offset) is { } word && IsObject(word) ? word : null;

    /// <summary>Instance type of an object; -1 when it is none.</summary>
    public int TypeOf(ulong word)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        return IsObject(word) && Object(word, metadata.Frames.ObjectMap) is { } map && TryRead(map + (ulong)metadata.Frames.MapType, bytes)
            ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : -1;
    }

    public bool IsText(int type) => type >= 0 && type < metadata.Text.FirstOtherType;

    /// <summary>A string, cut at <paramref name="limit"/> characters; null when it is none, or too tangled.</summary>
    public string? Text(ulong word, int limit)
    {
        var text = new StringBuilder();
        var parts = new Stack<ulong>();
        parts.Push(word);
        for (var i = 0; i < MostParts && parts.Count > 0; i++)
        {
            var part = parts.Pop();
            if (Cons(part) is { } cons)
            {
                parts.Push(cons.Second);
                parts.Push(cons.First);
            }
            else if (Flatten(part) is not { } flat || !TryAppend(text, flat, limit))
            {
                return null;
            }
            else if (text.Length >= limit)
            {
                return text.ToString();
            }
        }

        return parts.Count == 0 ? text.ToString() : null;
    }

    /// <summary>The characters of a string that holds them in one piece, or is a part or another name of one that does; else null.</summary>
    public FlatText? Flatten(ulong word)
    {
        var layout = metadata.Text;
        long start = 0;
        int? length = null;
        for (var i = 0; i < LongestChain; i++)
        {
            var type = TypeOf(word);
            if (!IsText(type) || Word(word, layout.Length) is not { } lengthWord)
            {
                return null;
            }

            length ??= (int)Math.Min((uint)lengthWord, int.MaxValue);
            var isOneByte = (type & layout.WidthMask) == layout.OneByte;
            var form = type & layout.FormMask;
            if (form == layout.Sequential || form == layout.External)
            {
                var characters = form == layout.Sequential
                    ? unchecked(word + (ulong)(isOneByte ? layout.OneByteCharacters : layout.TwoByteCharacters)) : ExternalCharacters(word);
                return characters is { } address ? new FlatText(unchecked(address + (ulong)(start * (isOneByte ? 1 : 2))), length.Value, isOneByte) : null;
            }

            if (Next(word, form, ref start) is not { } next)
            {
                return null;
            }

            word = next;
        }

        return null;
    }

    /// <summary>One step from a string towards the one that holds its characters.</summary>
    private ulong? Next(ulong word, int form, ref long start)
    {
        var layout = metadata.Text;
        if (form == layout.Thin)
        {
            return Object(word, layout.ThinActual);
        }

        if (form == layout.Sliced)
        {
            if (Word(word, layout.SlicedOffset) is not { } offset || Small(offset) is not { } skipped || skipped < 0)
            {
                return null;
            }

            start += skipped;
            return Object(word, layout.SlicedParent);
        }

        // A concatenation that was flattened keeps its characters in the first part.
        return Cons(word) is { } cons && Word(cons.Second, layout.Length) is { } second && (uint)second == 0 ? cons.First : null;
    }

    private (ulong First, ulong Second)? Cons(ulong word)
    {
        var layout = metadata.Text;
        return TypeOf(word) is var type && IsText(type) && (type & layout.FormMask) == layout.Cons
            && Object(word, layout.ConsFirst) is { } first && Object(word, layout.ConsSecond) is { } second ? (first, second) : null;
    }

    /// <summary>Outside the heap; behind the pointer to the resource, the string keeps one to its characters.</summary>
    private ulong? ExternalCharacters(ulong word) => Word(word, metadata.Text.ExternalResource + sizeof(ulong));

    private bool TryAppend(StringBuilder text, FlatText flat, int limit)
    {
        var bytes = new byte[Math.Min(flat.Length, limit - text.Length) * flat.Width];
        if (!TryRead(flat.Address, bytes))
        {
            return false;
        }

        text.Append((flat.IsOneByte ? Encoding.Latin1 : Encoding.Unicode).GetString(bytes));
        return true;
    }
}
