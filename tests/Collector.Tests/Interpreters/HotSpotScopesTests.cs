using System.Buffers.Binary;
using System.Text;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Interpreters.HotSpot;

namespace ActorProfiler.Tests.Interpreters;

/// <summary>Methods of the code in a made-up JVM's memory.</summary>
public sealed class HotSpotScopesTests
{
    private const int Heaps = 0x10;
    private const int Array = 0x20;
    private const int Pointers = 0x40;
    private const int Heap = 0x80;
    private const int SegmentMap = 0x100;
    private const int Low = 0x1000;
    private const int High = 0x2000;
    private const int SegmentShift = 7;
    private const int BlockHeader = 16;
    private const int CodeOffset = 0x100;
    private const int Debug = 0x3000;
    private const int Metadata = 0x200;
    private const int MethodArea = 0x4000;

    private readonly byte[] _memory = new byte[0x8000];
    private int _next = MethodArea;
    private int _scopes;

    public HotSpotScopesTests()
    {
        Write(Heaps, Array);
        Write32(Array, 1);
        Write(Array + 8, Pointers);
        Write(Pointers, Heap);
        Write(Heap, Low);
        Write(Heap + 8, High);
        Write32(Heap + 16, SegmentShift);
        Write(Heap + 24, SegmentMap);
        _memory.AsSpan(SegmentMap, (High - Low) >> SegmentShift).Fill(0xff);
    }

    private static HotSpotMethodLayout Layout(bool avoidsZeroBytes) => new(
        new HotSpotLayout(
            Heaps, ArrayLength: 0, ArrayData: 8, HeapLow: 0, HeapHigh: 8, SegmentShift: 16,
            new HotSpotLayout.Number(0, 8, IsAddress: false), new HotSpotLayout.Number(8, 1, IsAddress: false), BlockHeader, BlobName: 0,
            FrameSize: new HotSpotLayout.Number(8, 4, IsAddress: false), FrameComplete: new HotSpotLayout.Number(12, 4, IsAddress: false),
            CodeBegin: new HotSpotLayout.Number(16, 4, IsAddress: false), CodeEnd: new HotSpotLayout.Number(20, 4, IsAddress: false)),
        SegmentMap: 24,
        ConstMethod: 8, Constants: 8, ConstMethodBytes: 48, ConstMethodFlags: 28, CodeSize: 32, NameIndex: 34, PoolHolder: 24, PoolBytes: 72, SourceFileIndex: 54, KlassName: 24, SymbolLength: 4, SymbolBody: 6,
        Method: 24, PcDescBytes: 16, PcOffset: 0, ScopeOffset: 4, ImmutableData: 32, ScopesStart: 40, ScopesEnd: 44,
        Scopes: new HotSpotLayout.Number(44, 4, IsAddress: false), MutableData: 48, Metadata: 56, avoidsZeroBytes);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Names_the_methods_that_were_inlined_at_an_address(bool avoidsZeroBytes)
    {
        // Lines 10 at 0, 12 at 4, 13 at 9; and in wide form 300 more at 100, then 1 more at 103.
        var inner = AddMethod("a/Table", "sort", "Table.java", [(1 << 3) | 7, 3, 0xff, .. Signed(99, avoidsZeroBytes), .. Signed(300, avoidsZeroBytes), (3 << 3) | 1]);
        var outer = AddMethod("a/b/Query", "run", "Query.java", [5, 5, (4 << 3) | 2, (5 << 3) | 1]);
        var code = AddCompiled(outer, [inner, outer], [(-1, 0), (0x20, 300), (0x40, 11), (0x1000, 0)]);
        WriteScope(300, avoidsZeroBytes, 0, 2, 9);
        WriteScope(11, avoidsZeroBytes, 300, 1, 120);
        var scopes = new HotSpotScopes(Layout(avoidsZeroBytes), new HotSpotMethods(Layout(avoidsZeroBytes)));

        var run = new JavaCall(new JavaMethod("a.b.Query.run", "Query.java"), Line: 12);
        Assert.Equal([run], scopes.Find(Memory, code + 0x20));
        Assert.Equal([new JavaCall(new JavaMethod("a.Table.sort", "Table.java"), Line: 311), run], scopes.Find(Memory, code + 0x21));
        Assert.Equal([run with { Line = 0 }], scopes.Find(Memory, code + 0x41));
    }

    [Fact]
    public void Finds_the_start_of_large_code_and_none_where_there_is_none()
    {
        var outer = AddMethod("Query", "run", "");
        var code = AddCompiled(outer, [], [(-1, 0)]);
        var scopes = Create();

        Assert.Equal(["Query.run"], scopes.Find(Memory, code + 0x280).Select(call => call.Method.Name));
        Assert.Empty(scopes.Find(Memory, High - 1));
        Assert.Empty(scopes.Find(Memory, High));
    }

    [Fact]
    public void Names_code_that_is_of_no_method_by_what_it_is()
    {
        AddCompiled(0, [], []);
        Encoding.UTF8.GetBytes("StubRoutines (1)\0").CopyTo(_memory, _next);
        Write(Low + BlockHeader, _next);

        Assert.Equal([new JavaCall(new JavaMethod("StubRoutines (1)", ""), Line: 0)], Create().Find(Memory, Low + BlockHeader + CodeOffset));
    }

    [Fact]
    public void Gives_classes_made_at_run_time_one_name_in_every_process()
    {
        var older = AddMethod("Main$$Lambda$14/0x0000000800c03000", "run", "");
        var newer = AddMethod("Main$$Lambda/0x00007f1b50001000", "run", "");
        var form = AddMethod("java/lang/invoke/LambdaForm$MH+0x000000008b14d400", "invoke", "");
        var methods = new HotSpotMethods(Layout(avoidsZeroBytes: true));

        Assert.Equal(["Main$$Lambda.run", "Main$$Lambda.run", "java.lang.invoke.LambdaForm$MH.invoke"], new[] { older, newer, form }.Select(method => methods.Read(Memory, (ulong)method)!.Value.Method.Name));
    }

    [Fact]
    public void Ends_whatever_the_memory_says()
    {
        var outer = AddMethod("Query", "run", "");
        var code = AddCompiled(outer, [outer], [(-1, 0), (0x40, 1), (0x1000, 0)]);
        WriteScope(1, avoidsZeroBytes: true, 1, 1, 0); // inlined into itself
        Assert.InRange(Create().Find(Memory, code + 0x20).Length, 2, 1000);

        Mutations.Try(_memory, bytes =>
        {
            var layout = Layout(avoidsZeroBytes: true);
            new HotSpotScopes(layout, new HotSpotMethods(layout)).Find(new MemorySource(bytes), code + 0x20);
        });
    }

    private IByteSource Memory => new MemorySource(_memory);

    private static HotSpotScopes Create() => new(Layout(avoidsZeroBytes: true), new HotSpotMethods(Layout(avoidsZeroBytes: true)));

    /// <summary>A compiled method in a block of eight segments; returns where its code begins.</summary>
    private ulong AddCompiled(int method, int[] metadata, (int Offset, int Scope)[] addresses)
    {
        for (var i = 0; i < 8; i++)
        {
            _memory[SegmentMap + i] = (byte)Math.Min(i, 1); // each leads to the one before
        }

        const int Blob = Low + BlockHeader;
        Encoding.UTF8.GetBytes("nmethod\0").CopyTo(_memory, _next);
        Write(Blob, _next);
        _next += 0x20;
        Write32(Blob + 16, CodeOffset);
        Write(Blob + 24, method);
        Write(Blob + 32, Debug);
        Write32(Blob + 40, 0);
        Write32(Blob + 44, 16 * addresses.Length);
        Write(Blob + 48, Debug + 0x400);
        Write32(Blob + 56, Metadata);
        for (var i = 0; i < addresses.Length; i++)
        {
            Write32(Debug + 16 * i, addresses[i].Offset);
            Write32(Debug + 16 * i + 4, addresses[i].Scope);
        }

        _scopes = Debug + 16 * addresses.Length;
        for (var i = 0; i < metadata.Length; i++)
        {
            Write(Debug + 0x400 + Metadata + 8 * i, metadata[i]);
        }

        return Blob + CodeOffset;
    }

    private void WriteScope(int offset, bool avoidsZeroBytes, params int[] numbers) =>
        numbers.SelectMany(number => Number(number, avoidsZeroBytes)).ToArray().CopyTo(_memory, _scopes + offset);

    private static byte[] Signed(int number, bool avoidsZeroBytes) => Number(number << 1, avoidsZeroBytes);

    private static byte[] Number(int number, bool avoidsZeroBytes)
    {
        var add = avoidsZeroBytes ? 1 : 0;
        if (number + add < 192)
        {
            return [(byte)(number + add)];
        }

        // The first of two bytes is 192 or more, the second counts 64 times.
        var low = 192 + (number + add - 192) % 64;
        return [(byte)low, (byte)((number + add - low) / 64 + add)];
    }

    private int AddMethod(string type, string name, string file, byte[]? lines = null)
    {
        var (method, constMethod, pool, klass) = (_next, _next + 0x20, _next + 0x80, _next + 0x100);
        _next += 0x140;
        const int CodeBytes = 16;
        BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(constMethod + 28), (ushort)(lines is null ? 0 : 1));
        BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(constMethod + 32), CodeBytes);
        lines?.CopyTo(_memory, constMethod + 48 + CodeBytes);
        Write(method + 8, constMethod);
        Write(constMethod + 8, pool);
        BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(constMethod + 34), 1);
        Write(pool + 24, klass);
        BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(pool + 54), (ushort)(file.Length == 0 ? 0 : 2));
        Write(pool + 72 + 8, AddSymbol(name));
        Write(pool + 72 + 16, AddSymbol(file));
        Write(klass + 24, AddSymbol(type));
        return method;
    }

    private int AddSymbol(string text)
    {
        var symbol = _next;
        BinaryPrimitives.WriteUInt16LittleEndian(_memory.AsSpan(symbol + 4), (ushort)text.Length);
        Encoding.UTF8.GetBytes(text).CopyTo(_memory, symbol + 6);
        _next += (text.Length + 6 + 7) / 8 * 8;
        return symbol;
    }

    private void Write(int at, int value) => BinaryPrimitives.WriteInt64LittleEndian(_memory.AsSpan(at), value);

    private void Write32(int at, int value) => BinaryPrimitives.WriteInt32LittleEndian(_memory.AsSpan(at), value);
}
