namespace ActorProfiler.Collector.Elf;

/// <summary>Bytes at positions: a file read by pread, or memory.</summary>
internal interface IByteSource
{
    /// <summary>Bytes in all when the source was opened. A file may have shrunk since.</summary>
    long Length { get; }

    /// <summary>Reads up to <paramref name="buffer"/>'s length. Less, down to 0, past the end or when the medium fails.</summary>
    int Read(long offset, Span<byte> buffer);
}

internal static class ByteSources
{
    /// <summary>The whole range, as a new array.</summary>
    /// <param name="what">Names the range in the error, such as "section .symtab".</param>
    /// <param name="limit">More bytes than this are refused before anything is allocated.</param>
    /// <exception cref="FormatException">The range is larger than the limit or reaches past the end.</exception>
    public static byte[] ReadRange(this IByteSource source, ulong offset, ulong length, int limit, string what)
    {
        if (length > (ulong)limit)
        {
            throw new FormatException($"{what}: {length} bytes, more than the limit of {limit}");
        }

        if (offset > (ulong)source.Length || length > (ulong)source.Length - offset)
        {
            throw new FormatException($"{what}: {length} bytes at {offset:x} reach past the end at {source.Length:x}");
        }

        var bytes = new byte[length];
        if (source.ReadFully((long)offset, bytes) < bytes.Length)
        {
            throw new FormatException($"{what}: the file shrank while it was read");
        }

        return bytes;
    }

    /// <summary>Reads until the buffer is full or the source ends. Returns the bytes read.</summary>
    public static int ReadFully(this IByteSource source, long offset, Span<byte> buffer)
    {
        var have = 0;
        while (have < buffer.Length)
        {
            var read = source.Read(offset + have, buffer[have..]);
            if (read <= 0)
            {
                break;
            }

            have += read;
        }

        return have;
    }
}

/// <summary>Bytes in memory: the vdso, a decompressed section, a test's input.</summary>
internal sealed class MemorySource(ReadOnlyMemory<byte> bytes) : IByteSource
{
    public long Length => bytes.Length;

    public int Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset >= bytes.Length)
        {
            return 0;
        }

        var rest = bytes.Span[(int)offset..];
        var count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return count;
    }
}
