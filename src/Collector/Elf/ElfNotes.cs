using System.Text;

namespace ActorProfiler.Collector.Elf;

/// <summary>Finds build ids in the bytes of a note section or segment.</summary>
/// <remarks>
/// A note is name size, description size, type (4 bytes each), then name and description, each padded to 4 bytes.
/// Source: elf(5), "Notes".
/// </remarks>
internal static class ElfNotes
{
    private const uint GnuBuildId = 3;
    private const uint GoBuildId = 4;

    /// <summary>GNU build id in lower-case hex, or null.</summary>
    public static string? FindGnuBuildId(ReadOnlySpan<byte> notes) =>
        Find(notes, "GNU\0"u8, GnuBuildId, out var id) && id.Length is > 0 and <= 64 ? Convert.ToHexStringLower(id) : null;

    /// <summary>Go's build id, four parts joined by slashes, or null. "redacted", which stands for a removed one, is null.</summary>
    public static string? FindGoBuildId(ReadOnlySpan<byte> notes)
    {
        if (!Find(notes, "Go\0\0"u8, GoBuildId, out var id) || id.Length is < 40 or > 256)
        {
            return null;
        }

        var text = Encoding.ASCII.GetString(id);
        return text.Count('/') >= 2 ? text : null;
    }

    private static bool Find(ReadOnlySpan<byte> notes, ReadOnlySpan<byte> name, uint type, out ReadOnlySpan<byte> description)
    {
        var fields = new ByteReader(notes);
        while (fields.Remaining >= 12)
        {
            var (nameSize, descriptionSize, noteType) = (fields.U32(), fields.U32(), fields.U32());
            if (Padded(nameSize) + Padded(descriptionSize) > (ulong)fields.Remaining + 3)
            {
                break;
            }

            var noteName = fields.Take(Math.Min(Padded(nameSize), (ulong)fields.Remaining));
            var noteDescription = fields.Take(Math.Min(Padded(descriptionSize), (ulong)fields.Remaining));
            if (noteType == type && noteName.SequenceEqual(name) && descriptionSize <= noteDescription.Length)
            {
                description = noteDescription[..(int)descriptionSize];
                return true;
            }
        }

        description = default;
        return false;
    }

    private static ulong Padded(uint size) => ((ulong)size + 3) & ~3ul;
}
