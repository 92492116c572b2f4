using System.IO.Hashing;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Tests.Elf;

namespace ActorProfiler.Tests.Symbols;

public class FileSymbolsTests
{
    private const string Source = """
        #include <stdlib.h>
        #include <stdio.h>
        static __attribute__((noinline)) int hidden(int x) { return x * 3 + getenv("A")[0]; }
        __attribute__((noinline)) int seen(int x) { return hidden(x) + 1; }
        int main(int c, char **v) { printf("%d\n", seen(c)); return 0; }
        """;

    private static FileSymbols Open(string path, bool withLines = false)
    {
        var handle = File.OpenHandle(path);
        return new FileSymbols(ElfFile.Read(new FileSource(handle, RandomAccess.GetLength(handle)), path), "/", DemangleMode.None, withLines);
    }

    private static string NameAt(FileSymbols symbols, ulong address) => symbols.Resolve(address).Lines[0].Function.Name;

    [Fact]
    public void Names_functions_of_a_program_with_symbols()
    {
        using var program = new CompiledProgram(Source, "-O1");
        var addresses = program.Symbols();
        var symbols = Open(program.Path);

        var location = symbols.Resolve(addresses["hidden"] + 3);

        Assert.Equal("hidden", location.Lines[0].Function.Name);
        Assert.Equal(addresses["hidden"], location.Address);
        Assert.True(location.IsSymbolized);
        Assert.Same(location, symbols.Resolve(addresses["hidden"] + 5));
    }

    [Fact]
    public void Names_a_stripped_function_after_its_start()
    {
        using var program = new CompiledProgram(Source, "-O1");
        var hidden = program.Symbols()["hidden"];
        program.Run("strip", program.Path);
        var symbols = Open(program.Path);

        var location = symbols.Resolve(hidden + 7);

        Assert.Equal($"program+0x{hidden:x}", location.Lines[0].Function.Name);
        Assert.Equal(hidden, location.Address);
        Assert.False(location.IsSymbolized);
        Assert.Same(location, symbols.Resolve(hidden + 1));
    }

    [Fact]
    public void Names_the_part_that_a_compiler_moved_out_of_pythons_loop_though_its_own_symbol_is_stripped()
    {
        const string Loop = """
            #include <stdlib.h>
            __attribute__((noinline, cold)) void rare(int x) { if (x == 7) abort(); }
            __attribute__((noinline)) int _PyEval_EvalFrameDefault(int x, char **v)
            {
                if (__builtin_expect(x > 9, 0)) { rare(x); x *= 5; rare(x); }
                for (int i = 0; v[i]; i++) {
                    if (__builtin_expect(v[i][0] == 'a', 0)) { rare(x); x += atoi(v[i]); rare(x * 3); }
                    x += v[i][1];
                }
                return x;
            }
            int main(int c, char **v) { return _PyEval_EvalFrameDefault(c, v); }
            """;
        using var program = new CompiledProgram(Loop, "-O2 -rdynamic -freorder-blocks-and-partition");
        var part = program.Symbols()["_PyEval_EvalFrameDefault.cold"];
        program.Run("strip", program.Path);

        var location = Open(program.Path).Resolve(part + 2);

        Assert.Equal("_PyEval_EvalFrameDefault.cold", location.Lines[0].Function.Name);
        Assert.Equal(part, location.Address);
        Assert.True(location.IsSymbolized);
    }

    [Fact]
    public void Names_a_plt_stub_after_the_function_it_calls()
    {
        using var program = new CompiledProgram(Source, "-O1 -fcf-protection=full -Wl,-z,ibt -Wl,-z,lazy");
        var line = program.Run("objdump", $"-d {program.Path}").Split('\n').First(text => text.Contains("<getenv@plt>:", StringComparison.Ordinal));

        Assert.Equal("getenv@plt", NameAt(Open(program.Path), Convert.ToUInt64(line.Split(' ')[0], 16) + 4));
    }

    /// <summary>As musl's memset, behind which its clone lies: neither has a size, and only one has a name.</summary>
    [Fact]
    public void Ends_a_function_without_a_size_where_the_code_calls_another()
    {
        const string Assembly = """
            asm(".text\n .globl copy\n .type copy,@function\n copy: mov %rdi,%rax\n jmp 1f\n nop\n 1: ret\n"
                ".p2align 4\n here: nop\n nop\n ret\n"
                ".p2align 4\n .globl enter\n .type enter,@function\n enter: call here\n ret\n");
            int main(void) { return 0; }
            """;
        using var program = new CompiledProgram(Assembly, "-O1 -fno-asynchronous-unwind-tables");
        var addresses = program.Symbols();
        var symbols = Open(program.Path);

        var location = symbols.Resolve(addresses["here"] + 1);

        Assert.Equal("copy", NameAt(symbols, addresses["copy"] + 6));
        Assert.Equal($"program+0x{addresses["here"]:x}", location.Lines[0].Function.Name);
        Assert.Equal(addresses["here"], location.Address);
        Assert.Equal("enter", NameAt(symbols, addresses["enter"] + 5));
    }

    [Theory]
    [InlineData("-O1")]
    [InlineData("-O1 -static -no-pie")]
    [InlineData("-O1 -static-pie")]
    public void Names_the_entry_point_of_a_stripped_program(string flags)
    {
        using var program = new CompiledProgram(Source, flags);
        var start = program.Symbols()["_start"];
        program.Run("strip", program.Path);

        Assert.Equal("_start", NameAt(Open(program.Path), start + 33));
    }

    [Fact]
    public void Does_not_take_a_library_for_a_program()
    {
        using var library = new CompiledProgram(Source, "-O1 -shared -fPIC -Wl,-e,seen");
        var seen = library.Symbols()["seen"];

        var file = ElfFile.Read(new MemorySource(File.ReadAllBytes(library.Path)), "/lib/a.so");

        Assert.Equal(seen, file.EntryPoint);
        Assert.False(file.IsProgram());
    }

    [Fact]
    public void Follows_a_debug_link_when_its_checksum_is_right()
    {
        using var program = new CompiledProgram(Source, "-O1 -Wl,--build-id=none");
        var hidden = program.Symbols()["hidden"];
        Directory.CreateDirectory(Path.Combine(program.Folder, ".debug"));
        program.Run("objcopy", $"--only-keep-debug {program.Path} .debug/program.debug");
        program.Run("strip", program.Path);
        program.Run("objcopy", $"--add-gnu-debuglink=.debug/program.debug {program.Path}");

        Assert.Equal("hidden", NameAt(Open(program.Path), hidden));
        Assert.NotEqual(0u, Crc32.HashToUInt32(File.ReadAllBytes(program.Path)));
        File.AppendAllText(Path.Combine(program.Folder, ".debug/program.debug"), "x");
        Assert.Equal($"program+0x{hidden:x}", NameAt(Open(program.Path), hidden));
    }

    [Fact]
    public void Reads_names_packed_into_the_program()
    {
        Requirements.Tool("xz", "xz-utils");
        using var program = new CompiledProgram(Source, "-O1");
        var hidden = program.Symbols()["hidden"];
        program.Run("objcopy", $"-S --strip-unneeded -K hidden --keep-symbol=hidden {program.Path} mini");
        program.Run("xz", "mini");
        program.Run("strip", program.Path);
        program.Run("objcopy", $"--add-section .gnu_debugdata=mini.xz {program.Path}");

        Assert.Equal("hidden", NameAt(Open(program.Path), hidden));
    }

    [Fact]
    public void Gives_no_names_once_the_file_is_closed()
    {
        using var program = new CompiledProgram(Source, "-O1");
        var addresses = program.Symbols();
        var symbols = Open(program.Path);
        symbols.Resolve(addresses["hidden"]);

        symbols.File.Dispose();

        Assert.Equal("hidden", NameAt(symbols, addresses["hidden"]));
        Assert.False(symbols.Resolve(addresses["seen"]).IsSymbolized);
    }
}
