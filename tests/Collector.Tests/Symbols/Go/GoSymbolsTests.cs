using System.Diagnostics;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Go;

namespace ActorProfiler.Tests.Symbols.Go;

public sealed class GoSymbolsTests : IDisposable
{
    private const string Source = """
        package main

        import "os"

        func inner(x int) int {
        	return x*len(os.Args) + 1
        }

        //go:noinline
        func outer(x int) int {
        	y := inner(x)
        	return y * y
        }

        func main() {
        	os.Exit(outer(len(os.Args)))
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("go").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Build(string flags)
    {
        Requirements.Tool("go", "golang-go");
        File.WriteAllText(Path.Combine(_folder, "main.go"), Source);
        Run("go", $"build {flags} -o program main.go");
        return Path.Combine(_folder, "program");
    }

    private string Run(string tool, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            Environment = { ["GOFLAGS"] = "-mod=mod", ["GO111MODULE"] = "off", ["CGO_ENABLED"] = "0", ["GOCACHE"] = Path.Combine(Path.GetTempPath(), "actorprofiler-go-cache") },
        })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    private static GoSymbols Open(string path) => Open(File.ReadAllBytes(path))!;

    private static GoSymbols? Open(byte[] bytes)
    {
        var file = ElfFile.Read(new MemorySource(bytes), "/bin/program");
        return GoTable.Read(file) is { } table ? new GoSymbols(table, file.Module) : null;
    }

    /// <summary>Between functions there are breakpoints, which belong to no line.</summary>
    private static bool IsPadding(ElfFile file, ulong address)
    {
        var text = file.Section(".text")!.Value;
        Span<byte> code = stackalloc byte[1];
        file.Source.ReadFully((long)(text.Offset + (address - text.Address)), code);
        return code[0] == 0xcc;
    }

    private static string Show(Location location) => string.Join(" <- ", location.Lines.Select(line => $"{line.Function.Name} {Path.GetFileName(line.Function.File)}:{line.Number}"));

    [Theory]
    [InlineData("")]
    [InlineData("-ldflags=-s\\ -w")]
    public void Names_functions_lines_and_inlined_calls(string flags)
    {
        var program = Build("");
        var outer = Convert.ToUInt64(Run("go", "tool nm program").Split('\n').First(line => line.EndsWith(" main.outer", StringComparison.Ordinal)).Trim().Split(' ')[0], 16);
        if (flags.Length > 0)
        {
            Run("strip", "program");
        }

        var go = Open(program);
        var seen = Enumerable.Range(0, 64).Select(offset => go.Resolve(outer + (ulong)offset)!).TakeWhile(location => location.Lines[^1].Function.Name == "main.outer").Select(Show).Distinct().ToList();

        Assert.Contains("main.outer main.go:12", seen);
        Assert.Contains("main.inner main.go:6 <- main.outer main.go:11", seen);
        Assert.Same(go.Resolve(outer), go.Resolve(outer));
    }

    [Fact]
    public void Agrees_with_addr2line_of_go_on_many_addresses()
    {
        var program = Build("");
        var go = Open(program);
        var file = ElfFile.Read(new MemorySource(File.ReadAllBytes(program)), program);
        var random = new Random(1);
        var addresses = Enumerable.Range(0, 3000).Select(_ => file.Section(".text")!.Value.Address + (ulong)random.NextInt64((long)file.Section(".text")!.Value.Size)).ToList();
        File.WriteAllLines(Path.Combine(_folder, "addresses"), addresses.Select(address => $"0x{address:x}"));
        var expected = Run("sh", "-c \"go tool addr2line program < addresses\"").Split('\n');

        for (var i = 0; i < addresses.Count; i++)
        {
            var location = go.Resolve(addresses[i]);
            if (expected[2 * i] == "?" || IsPadding(file, addresses[i]))
            {
                continue;
            }

            Assert.NotNull(location);
            Assert.Equal(expected[2 * i], location.Lines[^1].Function.Name); // names the function of the symbol, without inlining
            Assert.Equal(expected[2 * i + 1].Replace(":-1", ":0", StringComparison.Ordinal), $"{location.Lines[0].Function.File}:{location.Lines[0].Number}");
        }
    }

    [Fact]
    public void Is_absent_from_other_programs() => Assert.Null(Open(new Elf.ElfBuilder().Build()));

    [Fact]
    public void Survives_damaged_tables()
    {
        var bytes = File.ReadAllBytes(Build(""));
        var file = ElfFile.Read(new MemorySource(bytes), "/bin/program");
        var section = file.Section(".gopclntab")!.Value;
        var text = file.Section(".text")!.Value.Address;
        var table = bytes[(int)section.Offset..(int)(section.Offset + section.Size)];
        Mutations.Try(table[..400], head =>
        {
            var damaged = bytes.AsSpan().ToArray();
            head.CopyTo(damaged, (int)section.Offset);
            for (ulong offset = 0; Open(damaged) is { } go && offset < 0x8000; offset += 0x1111)
            {
                go.Resolve(text + offset);
            }
        }, rounds: 100);
    }
}
