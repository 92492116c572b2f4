using System.Collections.Immutable;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters;

/// <summary>Where a C library keeps the thread-specific data of a thread.</summary>
/// <param name="Specific">From the thread register: with glibc the value of the first key, with musl the pointer to it.</param>
/// <param name="EntrySize">Of an element of this array, and of the one of thread-local blocks: 16 bytes with glibc, 8 with musl.</param>
/// <remarks>Read from the code of <c>pthread_getspecific</c>. With glibc the first 32 keys only, which are in the thread's own structure.</remarks>
internal readonly record struct ThreadArrays(uint Specific, uint EntrySize)
{
    public const uint GlibcEntry = 16;
    public const uint MuslEntry = 8;

    private const string Function = "pthread_getspecific";
    private const int CodeBytes = 256;
    private const long LargestThread = 8192;

    /// <summary>Of the C library that the process has mapped; <paramref name="program"/> may hold it itself.</summary>
    /// <returns>Null where there is none, or its code is of another form.</returns>
    /// <exception cref="FormatException">A table of symbols reaches past the end of the file.</exception>
    public static ThreadArrays? Find(ProcessImage image, ElfFile program)
    {
        // Before 2.34 the function was in glibc's libpthread.
        foreach (var file in image.Files.Where(IsLibrary).Distinct().Append(program))
        {
            if (DynamicSymbols.FindAddress(file, Function) is { } address && file.IsCode(address) && file.OffsetOf(address) is { } offset)
            {
                var length = (int)Math.Min(CodeBytes, (ulong)file.Source.Length - offset);
                return Read(file.Source.ReadRange(offset, (ulong)length, CodeBytes, Function), address);
            }
        }

        return null;
    }

    /// <inheritdoc cref="Find"/>
    /// <param name="code">Of the function.</param>
    /// <param name="address">Of its first byte.</param>
    public static ThreadArrays? Read(byte[] code, ulong address)
    {
        var (first, second) = (Places(code, address, key: 0), Places(code, address, key: 1));
        foreach (var places in first.Zip(second))
        {
            switch (places)
            {
                case ([var of0], [var of1]) when of1 - of0 == GlibcEntry && of0 is > 0 and < LargestThread:
                    return new ThreadArrays((uint)of0, GlibcEntry);
                case ([var array0, 0], [var array1, MuslEntry]) when array0 == array1 && array0 is > 0 and < LargestThread:
                    return new ThreadArrays((uint)array0, MuslEntry);
            }
        }

        return null;
    }

    private static IEnumerable<ImmutableArray<long>> Places(byte[] code, ulong address, ulong key) =>
        CodePaths.Follow(code, address, CodeValue.Constant(key), _ => CodeValue.Unknown)
            .Where(value => value is { Origin: CodeOrigin.Thread, Loads.IsEmpty: false, Offset: 0 }).Select(value => value.Loads);

    private static bool IsLibrary(ElfFile file)
    {
        var name = Path.GetFileName(file.Path);
        return name.StartsWith("libc.", StringComparison.Ordinal) || name.StartsWith("libc-", StringComparison.Ordinal)
            || name.StartsWith("libpthread", StringComparison.Ordinal) || name.StartsWith("ld-musl", StringComparison.Ordinal);
    }
}
