using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Collector.Symbols.Dwarf;

namespace ActorProfiler.Tests.Symbols.Dwarf;

public class DwarfLinesTests
{
    private const string Source = """
        #include <stdlib.h>
        static inline __attribute__((always_inline)) int innermost(int x) {
          return x * 7 + rand();
        }
        static inline __attribute__((always_inline)) int middle(int x) {
          return innermost(x + 1) * 3;
        }
        __attribute__((noinline)) int outer(int x) {
          return middle(x) - 2;
        }
        int main(int c, char **v) { return outer(c); }
        """;

    private static FileSymbols Open(string path) =>
        new(ElfFile.Read(new MemorySource(File.ReadAllBytes(path)), path), "/", DemangleMode.None, withLines: true);

    private static string Show(Location location) =>
        string.Join(" <- ", location.Lines.Select(line => $"{line.Function.Name} {Path.GetFileName(line.Function.File)}:{line.Number}"));

    [Theory]
    [InlineData("-gdwarf-4")]
    [InlineData("-gdwarf-5")]
    [InlineData("-gdwarf-5", "zlib")]
    [InlineData("-gdwarf-4", "zstd")]
    public void Tells_lines_and_inlined_calls(string flags, string compression = "none")
    {
        using var program = new CompiledProgram(Source, "-O2 " + flags);
        program.Run("objcopy", $"--compress-debug-sections={compression} {program.Path}");
        var outer = program.Symbols()["outer"];
        var symbols = Open(program.Path);

        var seen = Enumerable.Range(0, 32).Select(offset => symbols.Resolve(outer + (ulong)offset)).TakeWhile(location => location.Lines[^1].Function.Name == "outer").ToList();

        Assert.Contains("innermost program.c:3 <- middle program.c:6 <- outer program.c:9", seen.Select(Show));
        Assert.Equal(8, seen[0].Lines[^1].Function.StartLine);
        Assert.Same(symbols.Resolve(outer), symbols.Resolve(outer));
    }

    [Fact]
    public void Survives_damaged_sections()
    {
        using var program = new CompiledProgram(Source, "-O2 -gdwarf-5");
        var bytes = File.ReadAllBytes(program.Path);
        var outer = program.Symbols()["outer"];
        var file = ElfFile.Read(new MemorySource(bytes), "/bin/program");
        foreach (var name in new[] { ".debug_info", ".debug_abbrev", ".debug_line", ".debug_rnglists" })
        {
            var section = file.Section(name)!.Value;
            Mutations.Try(bytes[(int)section.Offset..(int)(section.Offset + section.Size)], damaged =>
            {
                var copy = (byte[])bytes.Clone();
                damaged.CopyTo(copy, (int)section.Offset);
                DwarfLines.Read(ElfFile.Read(new MemorySource(copy), "/bin/program"))?.Find(outer + 3);
            }, rounds: 100);
        }
    }
}
