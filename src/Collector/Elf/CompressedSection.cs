using System.IO.Compression;
using ZstdSharp;

namespace ActorProfiler.Collector.Elf;

/// <summary>Unpacks sections marked SHF_COMPRESSED: a header with method and size, then a zlib or zstd stream.</summary>
/// <remarks>Source: System V ABI, "Section Compression"; ELFCOMPRESS_ZSTD is 2.</remarks>
internal static class CompressedSection
{
    private const int HeaderSize = 24;

    /// <exception cref="FormatException">Another method, damaged, or larger than the limit: the size in the header is checked first.</exception>
    public static byte[] Unpack(byte[] packed, int limit, string what)
    {
        var fields = new ByteReader(packed);
        var method = fields.U32();
        fields.Skip(4);
        var size = fields.U64();
        fields.Skip(8);
        if (size > (ulong)limit)
        {
            throw new FormatException($"{what} unpacks to {size} bytes, more than the limit of {limit}");
        }

        try
        {
            using var stream = new MemoryStream(packed, HeaderSize, packed.Length - HeaderSize, writable: false);
            using Stream unpacking = method switch
            {
                1 => new ZLibStream(stream, CompressionMode.Decompress),
                2 => new DecompressionStream(stream),
                _ => throw new FormatException($"{what} is compressed by method {method}; zlib (1) and zstd (2) are known"),
            };
            var unpacked = new byte[size];
            unpacking.ReadExactly(unpacked);
            return unpacked;
        }
        catch (Exception e) when (e is InvalidDataException or ZstdException or EndOfStreamException or IOException)
        {
            throw new FormatException($"unpack {what}: {e.Message}", e);
        }
    }
}
