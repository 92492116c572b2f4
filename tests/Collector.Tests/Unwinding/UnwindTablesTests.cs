using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Unwinding;
using ActorProfiler.Tests.Elf;

namespace ActorProfiler.Tests.Unwinding;

public class UnwindTablesTests
{
    private const byte DefCfa = 0x0c, DefCfaOffset = 0x0e, DefCfaExpression = 0x0f, RememberState = 0x0a, RestoreState = 0x0b;
    private const byte AdvanceOne = 0x41, OffsetRa = 0x90, OffsetRbp = 0x86, Undefined = 0x07, Register = 0x09;

    private readonly UnwindRules _rules = new();

    private UnwindTable? Compile(byte[] elf, UnwindLimits? limits = null) =>
        new UnwindTables(_rules, TimeProvider.System, limits).Compile(ElfFile.Read(new MemorySource(elf), "/bin/test"));

    private static FileSource Open(string path)
    {
        var handle = File.OpenHandle(path);
        return new FileSource(handle, RandomAccess.GetLength(handle));
    }

    private UnwindRule RuleAt(UnwindTable table, ulong address) => _rules[table.Find(address)];

    /// <summary>A file with functions of 32 bytes, 64 bytes apart, from 0x401000 on, each with its frame program.</summary>
    private static byte[] Elf(params byte[][] programs)
    {
        var frames = new List<byte>();
        Append(frames, [0, 0, 0, 0, 1, (byte)'z', (byte)'R', 0, 1, 0x78, 16, 1, 0x03, DefCfa, 7, 8, OffsetRa, 1]); // absolute 32-bit pointers
        for (var i = 0; i < programs.Length; i++)
        {
            var start = BitConverter.GetBytes(0x401000 + i * 64);
            Append(frames, [.. BitConverter.GetBytes(frames.Count + 4), .. start, 32, 0, 0, 0, 0, .. programs[i]]);
        }

        return new ElfBuilder().Section(".eh_frame", 1, [.. frames, 0, 0, 0, 0], address: 0x402000).Build();
    }

    private static void Append(List<byte> frames, byte[] body)
    {
        var padding = (4 - (body.Length & 3)) & 3;
        frames.AddRange(BitConverter.GetBytes(body.Length + padding));
        frames.AddRange(body);
        frames.AddRange(new byte[padding]);
    }

    [Fact]
    public void Follows_a_function_that_pushes_rbp()
    {
        var table = Compile(Elf([AdvanceOne, DefCfaOffset, 16, OffsetRbp, 2, AdvanceOne + 3, 0x0d, 6]))!;

        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8), RuleAt(table, 0x401000));
        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.AtCfa, 16, -16), RuleAt(table, 0x401001));
        Assert.Equal(new UnwindRule(CfaKind.FramePointer, FramePointerKind.AtCfa, 16, -16), RuleAt(table, 0x401005));
        Assert.Equal(new UnwindRule(CfaKind.FramePointer, FramePointerKind.AtCfa, 16, -16), RuleAt(table, 0x40101f));
    }

    [Fact]
    public void Has_no_rule_outside_functions()
    {
        var table = Compile(Elf([], []))!;

        Assert.Equal(0, table.Find(0x400fff));
        Assert.Equal(0, table.Find(0x401020));
        Assert.NotEqual(0, table.Find(0x401040));
        Assert.Equal(0, table.Find(0x401060));
        Assert.Equal(0, table.Find(ulong.MaxValue));
        Assert.Equal(0, table.Find(0));
    }

    [Fact]
    public void Returns_to_a_remembered_state()
    {
        var table = Compile(Elf([RememberState, AdvanceOne, DefCfaOffset, 32, AdvanceOne, RestoreState]))!;

        Assert.Equal(32, RuleAt(table, 0x401001).CfaOffset);
        Assert.Equal(8, RuleAt(table, 0x401002).CfaOffset);
    }

    [Theory]
    [InlineData(new byte[] { Undefined, 16 }, CfaKind.EndOfStack, FramePointerKind.Same, 0, 0)]
    [InlineData(new byte[] { DefCfaOffset, 0x88, 0x80, 0x04 }, CfaKind.StackPointer, FramePointerKind.Same, 8, 1)]
    [InlineData(new byte[] { DefCfaOffset, 0x88, 0x80, 0x40 }, CfaKind.StackPointer, FramePointerKind.Same, 8, 16)]
    [InlineData(new byte[] { DefCfa, 6, 0x80, 0x80, 0x42 }, CfaKind.FramePointer, FramePointerKind.Same, -0x8000, 17)]
    [InlineData(new byte[] { DefCfa, 11, 0x88, 0x80, 0x40 }, CfaKind.Register, FramePointerKind.Same, 8, 16 << 4 | 11)]
    [InlineData(new byte[] { DefCfa, 11, 0x80, 0x80, 0x80, 0x80, 1 }, CfaKind.Unsupported, FramePointerKind.Same, 0, 0)]
    [InlineData(new byte[] { DefCfaExpression, 10, 0x77, 8, 0x79, 0, 0x38, 0x1e, 0x22, 0x06, 0x23, 8 }, CfaKind.AtIndexedStackPointer, FramePointerKind.Same, 8, 8 << 4 | 9)]
    [InlineData(new byte[] { 0x80 | 16, 3 }, CfaKind.ReturnAddressAt, FramePointerKind.Same, 8, -24)]
    [InlineData(new byte[] { DefCfa, 10, 0 }, CfaKind.Register, FramePointerKind.Same, 0, 10)]
    [InlineData(new byte[] { DefCfa, 17, 0 }, CfaKind.Unsupported, FramePointerKind.Same, 0, 0)]
    [InlineData(new byte[] { DefCfaExpression, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22 }, CfaKind.Plt, FramePointerKind.Same, 11, 0)]
    [InlineData(new byte[] { DefCfaExpression, 3, 0x76, 0x78, 0x06 }, CfaKind.AtFramePointer, FramePointerKind.Same, -8, 0)]
    [InlineData(new byte[] { DefCfaExpression, 5, 0x77, 0x10, 0x06, 0x23, 8 }, CfaKind.AtStackPointer, FramePointerKind.Same, 16, 8)]
    [InlineData(new byte[] { DefCfaExpression, 2, 0x30, 0x06 }, CfaKind.Unsupported, FramePointerKind.Same, 0, 0)]
    [InlineData(new byte[] { Register, 16, 3 }, CfaKind.ReturnAddressIn, FramePointerKind.Same, 8, 3)]
    [InlineData(new byte[] { Register, 16, 3, Register, 7, 8 }, CfaKind.Unsupported, FramePointerKind.Same, 0, 0)]
    [InlineData(new byte[] { Register, 16, 17 }, CfaKind.Unsupported, FramePointerKind.Same, 0, 0)]
    public void Knows_the_rules_compilers_write(byte[] program, object kind, object framePointer, short offset, short offset2) =>
        Assert.Equal(new UnwindRule((CfaKind)kind, (FramePointerKind)framePointer, offset, 0, offset2), RuleAt(Compile(Elf(program))!, 0x401000));

    [Fact]
    public void Knows_that_another_register_holds_rbp() => Assert.Equal(
        new UnwindRule(CfaKind.StackPointer, FramePointerKind.Register, 8, 10), RuleAt(Compile(Elf([Register, 6, 10]))!, 0x401000));

    [Fact]
    public void Leaves_out_a_malformed_function_and_keeps_the_others()
    {
        var table = Compile(Elf([0x3f], []))!;

        Assert.Equal(1, table.SkippedEntries);
        Assert.Equal(0, table.Find(0x401000));
        Assert.NotEqual(0, table.Find(0x401040));
    }

    [Fact]
    public void Refuses_a_file_that_takes_too_many_steps_or_is_malformed_throughout()
    {
        var steps = Elf([.. Enumerable.Repeat(new byte[100], 10)]);

        var error = Assert.Throws<FrameBudgetException>(() => Compile(steps, UnwindLimits.Default with { Steps = 500 }));
        Assert.Contains("/bin/test", error.Message, StringComparison.Ordinal);
        Assert.Throws<FrameBudgetException>(() => Compile(steps, UnwindLimits.Default with { Rows = 5 }));
        Assert.Throws<FrameBudgetException>(() => Compile(Elf([0x3f], [0x3f]), UnwindLimits.Default with { BadEntries = 1 }));
    }

    [Fact]
    public void Is_null_without_frames() => Assert.Null(Compile(new ElfBuilder().Build()));

    [Fact]
    public void Survives_damaged_frames()
    {
        var good = Elf([AdvanceOne, DefCfaOffset, 16, OffsetRbp, 2, AdvanceOne + 3, 0x0d, 6], [DefCfaExpression, 3, 0x76, 0x78, 0x06], [RememberState, RestoreState]);

        Mutations.Try(good, bytes => Compile(bytes)?.Find(0x401001));
    }

    [Fact]
    public void Numbers_equal_rules_alike_and_refuses_more_than_fit()
    {
        var rule = new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8);
        Assert.Equal(1, _rules.Intern(rule));
        Assert.Equal(1, _rules.Intern(rule));
        for (var i = 0; i < UnwindRules.Limit; i++)
        {
            _rules.Intern(new UnwindRule(CfaKind.FramePointer, FramePointerKind.AtCfa, (short)i));
        }

        Assert.Equal((UnwindRules.Limit, 2L), (_rules.Count, _rules.Refused));
        var copy = new UnwindRule[2];
        Assert.Equal(2, _rules.CopyFrom(0, copy));
        Assert.Equal([default, rule], copy);
        Assert.Equal(8, System.Runtime.CompilerServices.Unsafe.SizeOf<UnwindRule>());
    }

    [Fact]
    public void Describes_the_vdso()
    {
        var table = new UnwindTables(_rules, TimeProvider.System).Compile(Vdso.Read()!)!;

        Assert.True(table.FunctionCount > 3);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-ldflags=-s -w")]
    [InlineData("-buildmode=pie")]
    public void Describes_the_functions_of_a_go_program(string flags)
    {
        var path = TestPrograms.CompileGo("split", flags.Length > 0 ? [flags] : []);
        var file = ElfFile.Read(Open(path), path);
        var go = GoTable.Read(file)!;
        ulong StartOf(string name) => Enumerable.Range(0, go.Count).Where(index => go.Name(go.ReadFunction(index).Name) == name).Select(go.AddressOf).First();

        var table = new UnwindTables(_rules, TimeProvider.System).Compile(file)!;

        Assert.Equal(0, table.SkippedEntries);
        Assert.InRange(table.FunctionCount, go.Count * 9 / 10, go.Count);
        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8), RuleAt(table, StartOf("main.spin") + 4)); // has no frame
        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8), RuleAt(table, StartOf("main.main")));
        Assert.Contains(Enumerable.Range(0, 64).Select(offset => RuleAt(table, StartOf("main.main") + (ulong)offset)),
            rule => rule is { CfaKind: CfaKind.StackPointer, CfaOffset: > 16, FramePointerKind: FramePointerKind.AtCfa, FramePointerOffset: -16 });
        Assert.Equal(CfaKind.EndOfStack, RuleAt(table, StartOf("runtime.goexit")).CfaKind);
        Assert.Equal(CfaKind.OtherStack, RuleAt(table, StartOf("runtime.systemstack")).CfaKind);
    }

    [Fact]
    public void Survives_a_damaged_go_table()
    {
        var path = TestPrograms.CompileGo("split");
        var bytes = File.ReadAllBytes(path);
        var section = ElfFile.Read(new MemorySource(bytes), path).Section(".gopclntab")!.Value;
        Mutations.Try(bytes[(int)section.Offset..(int)(section.Offset + 400)], head =>
        {
            var damaged = bytes.AsSpan().ToArray();
            head.CopyTo(damaged, (int)section.Offset);
            Compile(damaged);
        }, rounds: 30);
    }

    [Theory]
    [InlineData("/bin/bash")]
    [InlineData("/bin/ls")]
    public void Agrees_with_readelf_on_programs_of_this_host(string path)
    {
        Requirements.Tool("readelf", "binutils");
        var table = new UnwindTables(_rules, TimeProvider.System).Compile(ElfFile.Read(Open(path), path))!;

        var rows = FrameListing.Read(path).DistinctBy(row => row.Address).ToList();

        Assert.NotEmpty(rows);
        Assert.DoesNotContain(rows, row => RuleAt(table, row.Address).CfaKind != CfaKind.Unsupported && !FrameListing.Agree(RuleAt(table, row.Address), row));
    }
}
