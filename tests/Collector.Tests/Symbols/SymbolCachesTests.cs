using System.Runtime.InteropServices;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Symbols;

public class SymbolCachesTests
{
    private static readonly int _self = Environment.ProcessId;

    private static ProcessImage Read(ElfFiles files) => ProcessImage.Read(new(_self, ProcFiles.StartTime(_self)!.Value, 0), files)!;

    private static SymbolCaches Create(SymbolOptions? options = null) =>
        new(options ?? SymbolOptions.Default, new KernelSymbols(() => new MemoryStream(), () => "", ""), new ProcessRoots());

    [Fact]
    public void Names_functions_of_this_process_without_allocating_once_they_are_known()
    {
        using var files = new ElfFiles();
        var symbols = Create().For(Read(files));
        var malloc = (ulong)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "malloc");
        var location = symbols.Resolve(malloc + 1, isReturnAddress: true);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            Assert.Same(location, symbols.Resolve(malloc + 1, isReturnAddress: true));
        }

        Assert.Contains("malloc", location.Lines[0].Function.Name, StringComparison.Ordinal);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Looks_up_a_return_address_one_byte_earlier()
    {
        using var files = new ElfFiles();
        var symbols = Create().For(Read(files));
        var malloc = (ulong)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "malloc");

        Assert.NotSame(symbols.Resolve(malloc, isReturnAddress: false), symbols.Resolve(malloc, isReturnAddress: true));
    }

    [Fact]
    public void Names_the_vdso_and_memory_without_a_file()
    {
        using var files = new ElfFiles();
        var image = Read(files);
        var symbols = Create().For(image);
        var vdso = image.Mappings.Single(mapped => mapped.Mapping.Path == "[vdso]");
        var function = symbols.Resolve(vdso.Mapping.Start + 0xa00, false);

        Assert.Equal("[vdso]", function.Module!.File);
        Assert.Equal("[unknown]", symbols.Resolve(1, false).Lines[0].Function.Name);
        Assert.Null(symbols.Resolve(1, false).Module);
    }

    [Fact]
    public void Keeps_a_table_while_its_files_stay_and_reads_it_anew_after_a_close()
    {
        using var files = new ElfFiles();
        var image = Read(files);
        var caches = Create();
        var symbols = caches.For(image);
        Assert.Same(symbols, caches.For(image));
        var malloc = (ulong)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "malloc");
        var location = symbols.Resolve(malloc, false);
        Assert.Same(location, caches.For(Read(files)).Resolve(malloc, false));

        foreach (var file in image.Files)
        {
            file.Dispose();
        }

        using var otherFiles = new ElfFiles();
        var again = caches.For(Read(otherFiles)).Resolve(malloc, false);

        Assert.NotSame(location, again);
        Assert.Equal(location.Lines[0].Function.Name, again.Lines[0].Function.Name);
    }

    [Fact]
    public void Forgets_names_when_they_are_to_be_shown_another_way()
    {
        using var files = new ElfFiles();
        var caches = Create();
        caches.For(Read(files));
        Assert.True(caches.BuildIdCount > 0);

        caches.Options = caches.Options with { Demangle = Collector.Symbols.Demangling.DemangleMode.Full };

        Assert.Equal((0, 0), (caches.BuildIdCount, caches.ProcessCount));
    }
}
