using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Symbols;
using ActorProfiler.Tests.Elf;

namespace ActorProfiler.Tests.Symbols;

public class SymbolTableTests
{
    private const int Function = 2, IndirectFunction = 10, Object = 1;
    private const int Local = 0, Global = 1, Weak = 2;

    private static SymbolTable? Read(params (string Name, ulong Address, ulong Size, int Type, int Binding)[] symbols) =>
        Read(new ElfBuilder().Symbols(symbols).Build());

    private static SymbolTable? Read(byte[] bytes)
    {
        var file = ElfFile.Read(new MemorySource(bytes), "/bin/test");
        return file.Section(".symtab") is { } section ? SymbolTable.Read(file, section, file) : null;
    }

    private static string? NameAt(SymbolTable table, ulong address) => table.Find(address) is var index and >= 0 ? table.NameOf(index) : null;

    [Fact]
    public void Names_an_address_within_a_function_and_none_after_its_end()
    {
        var table = Read(("first", 0x401000, 16, Function, Global), ("second", 0x401040, 16, IndirectFunction, Global))!;

        Assert.Equal("first", NameAt(table, 0x401000));
        Assert.Equal("first", NameAt(table, 0x40100f));
        Assert.Null(NameAt(table, 0x401010));
        Assert.Equal("second", NameAt(table, 0x401041));
        Assert.Null(NameAt(table, 0x400fff));
    }

    [Fact]
    public void Extends_a_function_without_a_size_to_the_next_one()
    {
        var table = Read(("_start", 0x401000, 0, Function, Global), ("main", 0x401040, 16, Function, Global), ("last", 0x402000, 0, Function, Global))!;

        Assert.Equal("_start", NameAt(table, 0x40103f));
        Assert.Equal("last", NameAt(table, 0x402fff));
        Assert.Null(NameAt(table, 0x403000));
    }

    [Fact]
    public void Names_the_outer_function_behind_a_nested_one()
    {
        var table = Read(("outer", 0x401000, 0x100, Function, Global), ("inner", 0x401010, 0x10, Function, Local))!;

        Assert.Equal("inner", NameAt(table, 0x401018));
        Assert.Equal("outer", NameAt(table, 0x401020));
    }

    [Fact]
    public void Prefers_global_then_no_underscore_then_short_then_first()
    {
        Assert.Equal("b", NameAt(Read(("a", 0x401000, 8, Function, Local), ("b", 0x401000, 8, Function, Global), ("c", 0x401000, 8, Function, Weak))!, 0x401000));
        Assert.Equal("long_name", NameAt(Read(("_x", 0x401000, 8, Function, Global), ("long_name", 0x401000, 8, Function, Global))!, 0x401000));
        Assert.Equal("ab", NameAt(Read(("abc", 0x401000, 8, Function, Global), ("b2", 0x401000, 8, Function, Global), ("ab", 0x401000, 8, Function, Global))!, 0x401000));
        Assert.Equal("sized", NameAt(Read(("a", 0x401000, 0, Function, Global), ("sized", 0x401000, 8, Function, Local))!, 0x401000));
    }

    [Fact]
    public void Leaves_the_version_out_of_a_name() =>
        Assert.Equal("realpath", NameAt(Read(("realpath@GLIBC_2.2.5", 0x401000, 8, Function, Global))!, 0x401000));

    [Fact]
    public void Leaves_out_data_undefined_symbols_and_addresses_outside_code() =>
        Assert.Null(Read(("data", 0x401000, 8, Object, Global), ("elsewhere", 0x500000, 8, Function, Global)));

    [Fact]
    public void Makes_valid_text_of_any_name()
    {
        var bytes = new ElfBuilder().Symbols(("a?b\u0007", 0x401000, 16, Function, Global)).Build();
        bytes[bytes.AsSpan().IndexOf("a?b"u8) + 1] = 0xff;

        Assert.Equal("a\ufffdb\ufffd", NameAt(Read(bytes)!, 0x401000));
    }

    [Fact]
    public void Cuts_a_name_without_an_end()
    {
        var name = NameAt(Read((new string('x', 100_000), 0x401000, 16, Function, Global))!, 0x401000)!;

        Assert.Equal(ElfLimits.NameBytes, name.Length);
    }

    [Fact]
    public void Survives_damaged_tables() => Mutations.Try(
        new ElfBuilder().Symbols(("first", 0x401000, 16, Function, Global), ("second", 0x401000, 0, Function, Weak), ("third", 0x402000, 1, Function, Local)).Build(),
        bytes =>
        {
            if (Read(bytes) is { } table)
            {
                NameAt(table, 0x401008);
                NameAt(table, 0x402000);
            }
        });
}
