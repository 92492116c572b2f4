using System.Buffers.Binary;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Lines of positions in scripts: by V8's own table where it has made one, else by counting in the source.</summary>
/// <remarks>What was counted is kept, up to a bound. Not for several threads.</remarks>
internal sealed class V8Lines(V8Metadata metadata)
{
    private const int MostSourceBytes = 32 << 20;
    private const int ChunkBytes = 64 << 10;
    private const int MostElements = 1 << 24;
    private const int MostLines = 1 << 19; // 2 MiB

    private readonly Dictionary<(ulong Script, ulong Source, int Length), int[]> _ends = [];
    private int _kept;

    /// <summary>The line of a position, from 1 on; 0 when it cannot be told.</summary>
    public int LineOf(V8Heap heap, ulong script, int position)
    {
        if (position < 0)
        {
            return 0;
        }

        if (heap.Object(script, metadata.Script.LineEnds) is { } ends && heap.TypeOf(ends) == metadata.ArrayType)
        {
            return FindLine(heap, ends, position);
        }

        if (heap.Object(script, metadata.Script.Source) is not { } source || heap.Flatten(source) is not { } text || position > text.Length)
        {
            return 0;
        }

        var counted = EndsOf(heap, script, source, text);
        var at = counted.AsSpan().BinarySearch(position);
        return counted.Length == 0 ? 0 : (at < 0 ? ~at : at) + 1;
    }

    /// <summary>By a table of the positions at which lines end, in order.</summary>
    private int FindLine(V8Heap heap, ulong ends, int position)
    {
        if (heap.Word(ends, metadata.ArrayLength) is not { } word || V8Heap.Small(word) is not { } length || length is <= 0 or > MostElements)
        {
            return 0;
        }

        var (low, high) = (0, length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (heap.Word(ends, metadata.ArrayElements + middle * sizeof(ulong)) is not { } element || V8Heap.Small(element) is not { } end)
            {
                return 0;
            }

            (low, high) = end < position ? (middle + 1, high) : (low, middle);
        }

        return low + 1;
    }

    /// <summary>Where the lines of a source end; the last entry is its length. Empty when it cannot be read, or is too long.</summary>
    private int[] EndsOf(V8Heap heap, ulong script, ulong source, V8Heap.FlatText text)
    {
        var key = (script, source, text.Length);
        if (_ends.TryGetValue(key, out var known))
        {
            return known;
        }

        var ends = Count(heap, text);
        if (_kept + ends.Length > MostLines)
        {
            _ends.Clear();
            _kept = 0;
        }

        _kept += ends.Length + 1;
        return _ends[key] = ends;
    }

    private static int[] Count(V8Heap heap, V8Heap.FlatText text)
    {
        var bytes = (long)text.Length * text.Width;
        if (bytes > MostSourceBytes)
        {
            return [];
        }

        var ends = new List<int>();
        var chunk = new byte[Math.Min(ChunkBytes, bytes)];
        for (long done = 0; done < bytes; done += chunk.Length)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, bytes - done));
            if (!heap.TryRead(text.Address + (ulong)done, part))
            {
                return [];
            }

            Count(part, text.Width, (int)(done / text.Width), ends);
            if (ends.Count > MostLines)
            {
                return [];
            }
        }

        ends.Add(text.Length);
        return [.. ends];
    }

    private static void Count(ReadOnlySpan<byte> part, int width, int first, List<int> ends)
    {
        for (var i = 0; i + width <= part.Length; i += width)
        {
            if ((width == 1 ? part[i] : BinaryPrimitives.ReadUInt16LittleEndian(part[i..])) == '\n')
            {
                ends.Add(first + i / width);
            }
        }
    }
}
