using ActorProfiler.Collector.Elf;
using SharpCompress.Compressors.Xz;

namespace ActorProfiler.Collector.Symbols;

/// <summary>The small ELF file with function names only that Fedora packs into each program as <c>.gnu_debugdata</c>.</summary>
/// <remarks>Source: GDB manual, "MiniDebugInfo". It is compressed with xz.</remarks>
internal static class MiniDebug
{
    private const int CompressedBytes = 16 << 20;

    /// <summary>Null when the file has none.</summary>
    /// <exception cref="FormatException">Not xz, damaged, larger than the limit when unpacked, or not an ELF file.</exception>
    public static ElfFile? Read(ElfFile file)
    {
        if (file.Section(".gnu_debugdata") is not { HasBytes: true } section)
        {
            return null;
        }

        var packed = file.ReadSection(section, CompressedBytes);
        return ElfFile.Read(new MemorySource(Unpack(packed, ElfLimits.MiniDebugBytes, file.Path)), file.Path + " (.gnu_debugdata)");
    }

    private static byte[] Unpack(byte[] packed, int limit, string path)
    {
        try
        {
            using var xz = new XZStream(new MemoryStream(packed, writable: false));
            using var unpacked = new MemoryStream();
            var buffer = new byte[64 << 10];
            for (int read; (read = xz.Read(buffer, 0, buffer.Length)) > 0;)
            {
                if (unpacked.Length + read > limit)
                {
                    throw new FormatException($".gnu_debugdata of {path} unpacks to more than {limit} bytes");
                }

                unpacked.Write(buffer, 0, read);
            }

            return unpacked.ToArray();
        }
        catch (Exception e) when (e is not (FormatException or OutOfMemoryException))
        {
            // The library reports damage with a dozen kinds of exceptions, index errors among them.
            throw new FormatException($"unpack .gnu_debugdata of {path}: {e.Message}", e);
        }
    }
}
