using System.Text;
using ActorProfiler.Collector.Symbols;

namespace ActorProfiler.Tests.Symbols;

public class KernelSymbolsTests
{
    private const string Lines = """
        ffffffff81000000 T _stext
        ffffffff81000100 t do_work
        ffffffff81000200 D some_data
        ffffffff81000300 W weak_one
        ffffffffc0000000 t in_module	[nf_tables]

        """;

    private string _text = Lines;
    private string _modules = "";

    private KernelSymbols Create() => new(() => new MemoryStream(Encoding.UTF8.GetBytes(_text)), () => _modules, "abcd");

    private static string NameAt(KernelSymbols kernel, ulong address) => kernel.Resolve(address).Lines[0].Function.Name;

    [Fact]
    public void Names_code_of_the_kernel_and_of_modules()
    {
        var kernel = Create();

        Assert.Equal("do_work", NameAt(kernel, 0xffffffff81000150));
        Assert.Equal("weak_one", NameAt(kernel, 0xffffffff81000300));
        Assert.Equal("in_module", NameAt(kernel, 0xffffffffc0000010));
        Assert.Same(kernel.Resolve(0xffffffff81000100), kernel.Resolve(0xffffffff81000101));
        Assert.Equal(("[kernel.kallsyms]", "abcd"), (kernel.Resolve(0xffffffff81000100).Module!.File, kernel.Resolve(0xffffffff81000100).Module!.BuildId));
    }

    [Fact]
    public void Leaves_addresses_far_behind_the_last_symbol_unknown()
    {
        var location = Create().Resolve(0xffffffffd0000000);

        Assert.Equal("[kernel.kallsyms]+0xffffffffd0000000", location.Lines[0].Function.Name);
        Assert.False(location.IsSymbolized);
    }

    [Fact]
    public void Says_why_there_are_no_names_when_addresses_are_hidden()
    {
        _text = "0000000000000000 T _stext\n0000000000000000 t do_work\n";
        var kernel = Create();

        Assert.False(kernel.Resolve(0xffffffff81000000).IsSymbolized);
        Assert.Contains("kptr_restrict", kernel.WhyEmpty, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_anew_when_the_modules_have_changed()
    {
        var kernel = Create();
        Assert.Equal("_stext", NameAt(kernel, 0xffffffff81000000));
        _text += "ffffffffd0000000 t later\t[later]\n";
        kernel.EndRound();
        Assert.Equal("[kernel.kallsyms]+0xffffffffd0000000", NameAt(kernel, 0xffffffffd0000000));

        _modules = "later";
        kernel.EndRound();

        Assert.Equal("later", NameAt(kernel, 0xffffffffd0000000));
    }

    [Fact]
    public void Reads_anew_for_unknown_addresses_only_every_few_rounds()
    {
        var kernel = Create();
        NameAt(kernel, 0xffffffffd0000000);
        _text += "ffffffffd0000000 t bpf_prog_1\t[bpf]\n";

        for (var round = 1; round < KernelSymbols.ReloadRounds; round++)
        {
            kernel.EndRound();
            Assert.False(kernel.Resolve(0xffffffffd0000000).IsSymbolized);
        }

        kernel.EndRound();
        Assert.Equal("bpf_prog_1", NameAt(kernel, 0xffffffffd0000000));
    }

    [Fact]
    public void Survives_damaged_lines() =>
        Mutations.Try(Encoding.UTF8.GetBytes(Lines), bytes => KallsymsParser.Parse(new MemoryStream(bytes)));

    [Fact]
    public void Reads_the_table_of_this_kernel()
    {
        Requirements.Bpf();

        Assert.True(KernelSymbols.OfThisHost().Count > 1000);
    }
}
