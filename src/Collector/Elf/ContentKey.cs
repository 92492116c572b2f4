using System.Globalization;
using System.Security.Cryptography;

namespace ActorProfiler.Collector.Elf;

/// <summary>What two files must have in common for one to be taken for the other.</summary>
/// <remarks>
/// A build id is only a claim: anyone can write a file with the build id of another tenant's library and names of their own.
/// So the key holds the size and a hash of all that names and unwind rules come from, too. It is computed once per file.
/// </remarks>
internal static class ContentKey
{
    private const int ChunkBytes = 64 << 10;
    private const int HeaderBytes = 4096;
    private const long HashedBytes = 512L << 20;

    private static readonly HashSet<string> _hashed = new(StringComparer.Ordinal)
    {
        ".symtab", ".strtab", ".dynsym", ".dynstr", ".eh_frame", ".eh_frame_hdr", ".debug_frame", ".gnu_debugdata", ".gnu_debuglink",
        ".gopclntab", ".data.rel.ro.gopclntab", ".go.module", ".noptrdata", ".rela.plt", ".rela.dyn", ".plt", ".plt.got", ".plt.sec", ".got", ".got.plt",
    };

    /// <summary>The key of a file; "" when it has no build id, is too large to be hashed, or cannot be read whole: it is then only itself.</summary>
    public static string Of(ElfFile file)
    {
        if (file.BuildId.Length == 0)
        {
            return "";
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var left = HashedBytes;
        var isWhole = Append(hash, file.Source, 0, (ulong)Math.Min(HeaderBytes, file.Source.Length), ref left);
        foreach (var section in file.Sections)
        {
            hash.AppendData(BitConverter.GetBytes(section.Offset ^ section.Address));
            isWhole = isWhole && (!IsHashed(file, section) || Append(hash, file.Source, section.Offset, section.Size, ref left));
        }

        return isWhole
            ? string.Create(CultureInfo.InvariantCulture, $"{file.BuildId}/{file.Source.Length}/{Convert.ToHexStringLower(hash.GetHashAndReset()[..16])}")
            : "";
    }

    private static bool IsHashed(ElfFile file, ElfSection section) =>
        section.HasBytes && (_hashed.Contains(section.Name) || section.Type is ElfSection.SymbolTable or ElfSection.DynamicSymbols || (file.IsGo && section.Name == ".data.rel.ro"));

    private static bool Append(IncrementalHash hash, IByteSource source, ulong offset, ulong size, ref long left)
    {
        if (size > (ulong)left || offset > (ulong)source.Length || size > (ulong)source.Length - offset)
        {
            return false;
        }

        left -= (long)size;
        var buffer = new byte[Math.Min((int)Math.Min(size, ChunkBytes), ChunkBytes)];
        for (ulong at = 0; at < size;)
        {
            var read = source.ReadFully((long)(offset + at), buffer.AsSpan(0, (int)Math.Min(size - at, ChunkBytes)));
            if (read == 0)
            {
                return false;
            }

            hash.AppendData(buffer, 0, read);
            at += (ulong)read;
        }

        return true;
    }
}
