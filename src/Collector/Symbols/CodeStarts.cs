using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Where functions begin: by <c>.eh_frame_hdr</c>, and by the code itself where that says nothing, as in all of musl.</summary>
/// <remarks>The code is swept over once it is asked about.</remarks>
internal sealed class CodeStarts(ElfFile file, FrameStarts? frames)
{
    private (ulong Address, int[] Offsets, ulong Length)? _swept;

    /// <summary>First address of the function that holds <paramref name="address"/>; null where nothing tells.</summary>
    public ulong? Find(ulong address)
    {
        if (frames?.Find(address) is { } described)
        {
            return described;
        }

        var (start, offsets, length) = _swept ??= Sweep();
        if (address < start || address - start >= length)
        {
            return null;
        }

        var index = Array.BinarySearch(offsets, (int)(address - start));
        index = index < 0 ? ~index - 1 : index;
        return index < 0 ? null : start + (ulong)offsets[index];
    }

    /// <summary>Whether code at an address is swept over; without that, beginnings between symbols may be missing.</summary>
    public bool IsSwept(ulong address) => _swept is { } swept && address - swept.Address < swept.Length;

    private (ulong Address, int[] Offsets, ulong Length) Sweep()
    {
        if (file.Machine != ElfMachine.X64 || file.Section(".text") is not { HasBytes: true, Size: > 0 and <= CodeEntries.LargestText } text || !file.IsCode(text.Address))
        {
            return (0, [], 0);
        }

        try
        {
            var entries = CodeEntries.Find(file, text, file.ReadSection(text, CodeEntries.LargestText), static () => { });
            return (text.Address, [.. entries.Order()], text.Size);
        }
        catch (FormatException)
        {
            return (0, [], 0); // a damaged file has no names either
        }
    }
}
