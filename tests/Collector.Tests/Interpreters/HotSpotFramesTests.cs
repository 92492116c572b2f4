using System.Buffers.Binary;
using System.Text;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Tests.Interpreters;

/// <summary>Tables of the code in a made-up JVM's memory.</summary>
public sealed class HotSpotFramesTests
{
    private const int Heaps = 0x10;
    private const int Array = 0x20;
    private const int Pointers = 0x40;
    private const int Heap = 0x80;
    private const int Names = 0x200;
    private const int Low = 0x1000;
    private const int High = 0x3000;
    private const int SegmentShift = 7;
    private const int BlockHeader = 16;
    private const int BlobHeader = 0x40;

    /// <summary>As JDK 17 has it, but closer together.</summary>
    private static readonly HotSpotLayout _layout = new(
        Heaps, ArrayLength: 0, ArrayData: 8, HeapLow: 0, HeapHigh: 8, SegmentShift: 16,
        new HotSpotLayout.Number(0, 8, IsAddress: false), new HotSpotLayout.Number(8, 1, IsAddress: false), BlockHeader, BlobName: 0,
        FrameSize: new HotSpotLayout.Number(8, 4, IsAddress: false), FrameComplete: new HotSpotLayout.Number(12, 4, IsAddress: false),
        CodeBegin: new HotSpotLayout.Number(16, 8, IsAddress: true), CodeEnd: new HotSpotLayout.Number(24, 8, IsAddress: true));

    private readonly byte[] _memory = new byte[High + 0x1000];
    private readonly UnwindRules _rules = new();
    private int _next = Low;

    public HotSpotFramesTests()
    {
        Write(Heaps, Array);
        BinaryPrimitives.WriteInt32LittleEndian(_memory.AsSpan(Array), 1);
        Write(Array + 8, Pointers);
        Write(Pointers, Heap);
        Write(Heap, Low);
        Write(Heap + 8, High);
        BinaryPrimitives.WriteInt32LittleEndian(_memory.AsSpan(Heap + 16), SegmentShift);
    }

    [Fact]
    public void Follows_a_method_from_its_prologue_to_its_return()
    {
        // stack bang; push rbp; sub rsp, 0x20; nop; add rsp, 0x20; pop rbp; cmp; ja; ret; nop: an exception's way out
        byte[] code = [0x89, 0x84, 0x24, 0x00, 0xc0, 0xfe, 0xff, 0x55, 0x48, 0x83, 0xec, 0x20, 0x90, 0x48, 0x83, 0xc4, 0x20, 0x5d,
            0x49, 0x3b, 0xa7, 0x30, 0x03, 0x00, 0x00, 0x0f, 0x87, 0x01, 0x00, 0x00, 0x00, 0xc3, 0x90];
        var start = AddBlob("nmethod", frameWords: 6, frameComplete: 12, code);

        var table = HotSpotFrames.Build(_layout, new MemorySource(_memory), _rules)!;

        var called = new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8);
        var pushed = new UnwindRule(CfaKind.StackPointer, FramePointerKind.AtCfa, 16, -16);
        var body = new UnwindRule(CfaKind.StackPointer, FramePointerKind.AtCfa, 48, -16);
        Assert.Equal(
            [called, called, pushed, body, body, pushed, called, called, body],
            new[] { 0, 7, 8, 12, 13, 17, 18, 31, 32 }.Select(offset => RuleAt(table, start + offset)));
    }

    [Fact]
    public void Tells_the_interpreter_stubs_and_adapters_from_methods()
    {
        var interpreter = AddBlob("Interpreter", frameWords: 0, frameComplete: -1, [0x90, 0x90]);
        var stub = AddBlob("StubRoutines (1)", frameWords: 0, frameComplete: -1, [0x90, 0x90]);
        var adapter = AddBlob("I2C/C2I adapters", frameWords: 0, frameComplete: -1, [0x90, 0x90]);

        var table = HotSpotFrames.Build(_layout, new MemorySource(_memory), _rules)!;

        Assert.Equal(CfaKind.InterpreterFrame, RuleAt(table, interpreter).CfaKind);
        Assert.Equal(CfaKind.None, RuleAt(table, stub).CfaKind);
        Assert.Equal(new UnwindRule(CfaKind.StackPointer, FramePointerKind.Same, 8), RuleAt(table, adapter));
    }

    [Fact]
    public void Asks_again_where_there_is_no_code_yet()
    {
        AddBlob("nmethod", frameWords: 4, frameComplete: 0, new byte[32]);

        var table = HotSpotFrames.Build(_layout, new MemorySource(_memory), _rules)!;

        Assert.Equal(CfaKind.Unknown, RuleAt(table, _next + 0x100).CfaKind);
        Assert.Equal(CfaKind.Unknown, RuleAt(table, High - 1).CfaKind);
    }

    [Theory]
    [InlineData(Array, 17, "17 code heaps")]
    [InlineData(Heap + 16, 64, "segments of 2^64")]
    [InlineData(Heap + 8, 0, "to 0x0")]
    [InlineData(Heaps, long.MaxValue - 2, "bytes to read")]
    public void Refuses_a_jvm_that_cannot_be(int at, long value, string reason)
    {
        AddBlob("nmethod", frameWords: 4, frameComplete: 0, new byte[32]);
        Write(at, value);

        var refusal = Assert.Throws<FormatException>(() => HotSpotFrames.Build(_layout, new MemorySource(_memory), _rules));

        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_a_length_that_lies_behind_all_other_fields()
    {
        AddBlob("nmethod", frameWords: 4, frameComplete: 0, new byte[32]);
        var odd = _layout with { BlockLength = new HotSpotLayout.Number(4000, 8, IsAddress: false) };

        Assert.Equal(CfaKind.Unknown, RuleAt(HotSpotFrames.Build(odd, new MemorySource(_memory), _rules)!, Low).CfaKind);
    }

    [Fact]
    public void Survives_ten_thousand_damaged_memories()
    {
        for (var i = 0; i < 5; i++)
        {
            AddBlob("nmethod", frameWords: 6, frameComplete: 12, [0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0x83, 0xc4, 0x20, 0x5d, 0xc3]);
        }

        var random = new Random(17);
        var refused = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var damaged = (byte[])_memory.Clone();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                damaged[random.Next(2) == 0 ? random.Next(Names) : random.Next(Low, _next)] = (byte)random.Next(256);
            }

            try
            {
                HotSpotFrames.Build(_layout, new MemorySource(damaged), _rules);
            }
            catch (FormatException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 100, 9_900);
    }

    /// <summary>Appends a block to the heap. Returns where its code starts.</summary>
    private int AddBlob(string name, int frameWords, int frameComplete, byte[] code)
    {
        var blob = _next + BlockHeader;
        var start = blob + BlobHeader;
        var segments = (BlockHeader + BlobHeader + code.Length + (1 << SegmentShift) - 1) >> SegmentShift;
        var nameAt = Names + (_next - Low >> 2);
        Encoding.ASCII.GetBytes(name).CopyTo(_memory, nameAt);
        Write(_next, segments);
        _memory[_next + 8] = 1;
        Write(blob, nameAt);
        BinaryPrimitives.WriteInt32LittleEndian(_memory.AsSpan(blob + 8), frameWords);
        BinaryPrimitives.WriteInt32LittleEndian(_memory.AsSpan(blob + 12), frameComplete);
        Write(blob + 16, start);
        Write(blob + 24, start + code.Length);
        code.CopyTo(_memory, start);
        _next += segments << SegmentShift;
        return start;
    }

    private void Write(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(_memory.AsSpan(at), value);

    private UnwindRule RuleAt(UnwindTable table, int address) => _rules[table.Find((ulong)address)];
}
