using System.Globalization;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Parses <c>/proc/kallsyms</c>: <c>address type name [module]</c>, a tab before the module.</summary>
/// <remarks>Source: proc_kallsyms(5), nm(1) for the types: t, T, w and W are code.</remarks>
internal static class KallsymsParser
{
    /// <param name="Addresses">Sorted.</param>
    /// <param name="Names">Where the name of each begins in <paramref name="Text"/>; a zero ends it.</param>
    internal sealed record Table(ulong[] Addresses, int[] Names, byte[] Text);

    private const int SymbolLimit = 2_000_000;

    /// <summary>Lines of another form are passed over; symbols without an address too.</summary>
    public static Table Parse(Stream lines)
    {
        var (addresses, names, text) = (new List<ulong>(1 << 17), new List<int>(1 << 17), new MemoryStream(1 << 21));
        var buffer = new byte[1 << 16];
        var have = 0;
        for (int read; (read = lines.Read(buffer, have, buffer.Length - have)) > 0;)
        {
            have += read;
            var rest = buffer.AsSpan(0, have);
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                Add(rest[..end], addresses, names, text);
            }

            rest = rest.Length == buffer.Length ? [] : rest; // a line longer than the buffer is no symbol
            rest.CopyTo(buffer);
            have = rest.Length;
        }

        var (sorted, order) = (addresses.ToArray(), names.ToArray());
        Array.Sort(sorted, order);
        return new Table(sorted, order, text.ToArray());
    }

    private static void Add(ReadOnlySpan<byte> line, List<ulong> addresses, List<int> names, MemoryStream text)
    {
        var space = line.IndexOf((byte)' ');
        if (space <= 0 || line.Length < space + 4 || line[space + 1] is not ((byte)'t' or (byte)'T' or (byte)'w' or (byte)'W') ||
            !ulong.TryParse(line[..space], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var address) ||
            address == 0 || addresses.Count >= SymbolLimit)
        {
            return;
        }

        var name = line[(space + 3)..];
        var tab = name.IndexOf((byte)'\t');
        addresses.Add(address);
        names.Add((int)text.Length);
        text.Write(tab < 0 ? name : name[..tab]);
        text.WriteByte(0);
    }
}
