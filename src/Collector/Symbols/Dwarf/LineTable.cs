namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>Lines of one unit by address.</summary>
/// <param name="Rows">By address; File is an index in <paramref name="Files"/>; Line 0 for code of no line, <see cref="End"/> where a sequence of code ends.</param>
/// <param name="Files">Paths; the empty string where a number is not used.</param>
internal sealed record LineTable((ulong Address, int File, int Line)[] Rows, string[] Files)
{
    public const int End = -1;

    /// <summary>The row that holds for an address, or null.</summary>
    public (ulong Address, int File, int Line)? Find(ulong address)
    {
        var (low, high) = (0, Rows.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            (low, high) = Rows[middle].Address <= address ? (middle + 1, high) : (low, middle - 1);
        }

        return high >= 0 && Rows[high].Line != End ? Rows[high] : null;
    }

    public string FileAt(ulong index) => index < (ulong)Files.Length ? Files[index] : "";
}
