using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Unwinding;

/// <summary>Bounds on the work for one file. The largest programs (a browser, a compiler) need about a tenth.</summary>
/// <param name="Steps">Frame instructions.</param>
/// <param name="Rows">Rows before merging.</param>
/// <param name="BadEntries">Malformed entries.</param>
internal sealed record UnwindLimits(long Steps, int Rows, TimeSpan Time, int BadEntries)
{
    public static readonly UnwindLimits Default = new(100_000_000, 16_000_000, TimeSpan.FromSeconds(5), 1000);
}

/// <summary>Compiles the frame descriptions of ELF files to tables for the BPF program.</summary>
internal sealed class UnwindTables(UnwindRules rules, TimeProvider time, UnwindLimits? limits = null)
{
    private const int EntriesBetweenClockLooks = 1024;

    private readonly UnwindLimits _limits = limits ?? UnwindLimits.Default;

    /// <summary>The table of one file.</summary>
    /// <remarks>
    /// From <c>.eh_frame</c>, else from <c>.debug_frame</c>, and where these leave out most of the code (musl) from the code itself. Go programs describe their own functions in their function table, and in
    /// <c>.eh_frame</c> those of their C parts. Malformed entries are left out and counted in the table.
    /// </remarks>
    /// <returns>Null when the file describes no function, or is not for x86-64.</returns>
    /// <exception cref="FrameBudgetException">Reading the section takes too much; names the file.</exception>
    /// <exception cref="FormatException">The section is malformed throughout; names the file.</exception>
    public UnwindTable? Compile(ElfFile file)
    {
        if (file.Machine != ElfMachine.X64)
        {
            return null;
        }

        try
        {
            return CompileSections(file);
        }
        catch (FrameBudgetException e)
        {
            throw new FrameBudgetException($"read frames of {file.Path}: {e.Message}");
        }
        catch (FormatException e)
        {
            throw new FormatException($"read frames of {file.Path}: {e.Message}", e);
        }
    }

    private UnwindTable? CompileSections(ElfFile file)
    {
        var builder = new UnwindTableBuilder(_limits.Rows);
        var skipped = AddFrames(file, ".eh_frame", isDebugFrame: false, builder);
        if (file.IsGo)
        {
            return builder.Build(skipped + AddGoFrames(file, builder));
        }

        skipped = builder.FunctionCount > 0 ? skipped : AddFrames(file, ".debug_frame", isDebugFrame: true, builder);
        var began = time.GetTimestamp();
        new CodeFrames(builder, rules).Add(file, () => CheckTime(".text", began));
        return builder.Build(skipped);
    }

    /// <summary>A Go function table that is not understood leaves its functions to their frame pointers.</summary>
    private int AddGoFrames(ElfFile file, UnwindTableBuilder builder)
    {
        var began = time.GetTimestamp();
        try
        {
            return new GoFrames(builder, rules).Add(file, () => CheckTime(".gopclntab", began));
        }
        catch (FormatException e) when (e is not FrameBudgetException)
        {
            return 1;
        }
    }

    private int AddFrames(ElfFile file, string name, bool isDebugFrame, UnwindTableBuilder builder)
    {
        if (file.Section(name) is not { HasBytes: true } section)
        {
            return 0;
        }

        var bytes = file.ReadSection(section, ElfLimits.FrameBytes);
        var entries = new FrameEntries(bytes, isDebugFrame ? 0 : section.Address, isDebugFrame);
        var program = new FrameProgram(builder, rules, _limits.Steps);
        var commons = new Dictionary<long, CommonEntry>();
        var (skipped, read, began) = (0, 0, time.GetTimestamp());
        for (var position = 0; entries.TryRead(position, out var entry); position = entry.End)
        {
            if (++read % EntriesBetweenClockLooks == 0)
            {
                CheckTime(name, began);
            }

            if (entry.Common >= 0 && !TryAdd(entries, bytes, entry, commons, builder, program, file) && ++skipped > _limits.BadEntries)
            {
                throw new FrameBudgetException($"more than {_limits.BadEntries} malformed entries in {name}");
            }
        }

        return skipped;
    }

    private void CheckTime(string name, long began)
    {
        if (time.GetElapsedTime(began) > _limits.Time)
        {
            throw new FrameBudgetException($"{name} takes longer than {_limits.Time.TotalSeconds} s");
        }
    }

    private static bool TryAdd(in FrameEntries entries, ReadOnlySpan<byte> bytes, FrameEntries.Entry entry,
        Dictionary<long, CommonEntry> commons, UnwindTableBuilder builder, FrameProgram program, ElfFile file)
    {
        var firstRow = builder.BeginFunction();
        try
        {
            if (!commons.TryGetValue(entry.Common, out var common))
            {
                common = entries.ReadCommon(entry.Common);
                commons.Add(entry.Common, common);
            }

            var fields = new ByteReader(bytes[entry.Body..entry.End]);
            var start = entries.ReadPointer(ref fields, common.PointerEncoding, entry.Body);
            var length = entries.ReadPointer(ref fields, (byte)(common.PointerEncoding & 0x0f), entry.Body);
            if (common.HasAugmentation)
            {
                fields.Skip(fields.Uleb());
            }

            if (length == 0 || start == 0)
            {
                return true; // discarded by the linker
            }

            if (start >> 48 != 0 || length > uint.MaxValue || !file.IsCode(start) || !file.IsCode(start + length - 1))
            {
                return false;
            }

            program.Run(entries, common, bytes, (entry.Body + fields.Position)..entry.End, start);
            builder.EndFunction(start, start + length, firstRow);
            return true;
        }
        catch (FormatException e) when (e is not FrameBudgetException)
        {
            builder.DropRows(firstRow);
            return false;
        }
    }
}
