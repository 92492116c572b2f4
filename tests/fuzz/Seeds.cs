using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ActorProfiler.Collector.Interpreters;
using ActorProfiler.Collector.Sampling;
using ActorProfiler.Collector.Unwinding;

namespace ActorProfiler.Fuzz;

/// <summary>Good inputs to start from. More come from the folder given on the command line.</summary>
internal static class Seeds
{
    public static IEnumerable<byte[]> For(string target) => target switch
    {
        "elf" or "frames" or "symbols" => [File.ReadAllBytes("/bin/true")],
        "assembly" => [File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "System.Collections.Specialized.dll"))],
        "demangle" => Texts("_ZZN3foo3barIJicEEEiT_ENKUlRKSt6vectorIiSaIiEEE_clES4_", "_Z1fRA5_KcPFPFivEcEM1AiDTplfp_fp_E",
            "_RINvMs0_NtCs1234_7mycrate3barNtB5_3FooReTlmEFG_RL0_hEuKj7b_E3baz", "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "_RNvCs1234_7mycrateu8gdel_5qa"),
        "copy" => [CopiedStack()],
        "hotspot" => [HotSpotMemory()],
        "java" => [JavaMemory()],
        "kallsyms" => Texts("ffffffff81000000 T _stext\nffffffffc0000000 t in_module\t[nf_tables]\n"),
        "maps" => Texts("7f1c2a000000-7f1c2a022000 r-xp 00026000 fd:01 1835012                    /usr/lib/a b.so (deleted)\n"),
        "perfmap" => Texts("1000 100 old\n1040 20 new name\n0x2000 0x20 third\r\nfffffffffffffff0 f last\n"),
        "python" => [PythonRuntimeBytes()],
        "records" => [ProcessRecords()],
        "stat" => Texts("42 (a) R (b c) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1234 0 0"),
        "v8" => [V8Memory()],
        "status" => Texts("Name:\tx\nUid:\t0\t1000\t0\t0\nNSpid:\t4711\t12\t1\n"),
        _ => [],
    };

    /// <summary>A function (<see cref="FuzzTargets.V8Function"/>) in a script whose path is a concatenation; each object begins with the address of its map, which has its type.</summary>
    private static byte[] V8Memory()
    {
        var memory = new byte[1024];
        void Put(int at, params ReadOnlySpan<ulong> words) => MemoryMarshal.AsBytes(words).CopyTo(memory.AsSpan(at));
        static ulong Small(int value) => (ulong)(uint)value << 32;
        (int Map, int Type)[] maps = [(0x10, 262), (0x20, 261), (0x30, 167), (0x40, 40), (0x50, 131), (0x60, 33), (0x70, 175)];
        foreach (var (map, type) in maps)
        {
            Put(map, 0, Small(type));
        }

        Put(0x80, 0x11, 0, 0x101, 0, 0x181, Small(3));
        Put(0xf0, 0x51);
        Put(0x100, 0x21, 0, Small(0), Small(0), 0x201, Small(-1), 0xf1, Small(9), Small(12), 0x11);
        Put(0x180, 0x31, 0x241, 0x2c1, 0, 0, 0, 0, 0xf1);
        Put(0x200, 0x41, Small(8), BitConverter.ToUInt64("runQuery"u8));
        Put(0x240, 0x41, Small(16), BitConverter.ToUInt64("a;\nb;\nc;"u8), BitConverter.ToUInt64("\nd;\ne;\nf"u8));
        Put(0x2c0, 0x61, Small(16), 0x201, 0x201);
        return memory;
    }

    /// <summary>One heap of one block with one compiled method, which has inlined itself where <see cref="FuzzTargets.JavaCode"/> is.</summary>
    private static byte[] JavaMemory()
    {
        var memory = new byte[0x580];
        void Put(int at, params ReadOnlySpan<ulong> words) => MemoryMarshal.AsBytes(words).CopyTo(memory.AsSpan(at));
        void Numbers(int at, params ReadOnlySpan<int> numbers) => MemoryMarshal.AsBytes(numbers).CopyTo(memory.AsSpan(at));
        void Symbol(int at, ReadOnlySpan<byte> text)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(memory.AsSpan(at + 4), (ushort)text.Length);
            text.CopyTo(memory.AsSpan(at + 6));
        }

        Put(0, 8, 1, 0x18, 0x20, 0x100, 0x400, 7, 0x48);
        ((ReadOnlySpan<byte>)[0, 1, 0xff, 0xff, 0xff, 0xff]).CopyTo(memory.AsSpan(0x48));
        "nmethod"u8.CopyTo(memory.AsSpan(0x60));
        Put(0x110, 0x60);
        Numbers(0x120, 0x40);
        Put(0x128, 0x400, 0x300);
        Numbers(0x138, 0, 48);
        Put(0x140, 0x380);
        Numbers(0x300, -1, 0, 0, 0, 0x20, 1, 0, 0, 0x1000, 0, 0, 0);
        ((ReadOnlySpan<byte>)[0, 7, 3, 6, 0, 0, 1, 2, 3]).CopyTo(memory.AsSpan(0x330));
        Put(0x380, 0x400, 0x400);
        Put(0x408, 0x410);
        Put(0x418, 0x4a0);
        Numbers(0x42c, 1, 4 | 1 << 16);
        ((ReadOnlySpan<byte>)[(1 << 3) | 7, 0xff, 5, 9, 0]).CopyTo(memory.AsSpan(0x444));
        Put(0x4b8, 0x500);
        BinaryPrimitives.WriteUInt16LittleEndian(memory.AsSpan(0x4d6), 2);
        Put(0x4f0, 0x520, 0x530);
        Put(0x518, 0x540);
        Symbol(0x520, "runQuery"u8);
        Symbol(0x530, "Split.java"u8);
        Symbol(0x540, "a/Split$$Lambda$14/0x00000008"u8);
        return memory;
    }

    /// <summary>One heap of one block with one method: push rbp, sub rsp, add rsp, pop rbp, ret.</summary>
    private static byte[] HotSpotMemory()
    {
        const int List = 8;
        const int Heap = 64;
        const int Block = 256;
        const int Blob = Block + 16;
        const int Code = Blob + 112;
        var memory = new byte[1024];
        void Put(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(memory.AsSpan(at), value);
        Put(0, List);
        Put(List, 1);
        Put(List + 8, List + 16);
        Put(List + 16, Heap);
        Put(Heap + 24, Block);
        Put(Heap + 32, memory.Length);
        Put(Heap + 40, 7);
        Put(Block, 2);
        Put(Block + 8, 1);
        Put(Blob + 20, 5);
        Put(Blob + 28, 6);
        Put(Blob + 32, Code);
        Put(Blob + 40, Code + 11);
        byte[] code = [0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0x83, 0xc4, 0x20, 0x5d, 0xc3];
        code.CopyTo(memory, Code);
        return memory;
    }

    /// <summary>A stack of frames that each hold the next one's address, and the rules of all kinds.</summary>
    private static byte[] CopiedStack()
    {
        const ulong Stack = 0x7ff000000000;
        var bytes = new byte[StackCopy.Bytes];
        ref var copy = ref MemoryMarshal.Cast<byte, StackCopyRecord>(bytes.AsSpan())[0];
        (copy.Ip, copy.Start, copy.Length) = (0x401000, Stack, StackCopyRecord.CopiedBytes);
        for (var i = 0; i < 16; i++)
        {
            copy.Registers[i] = Stack + (ulong)i * 64;
        }

        var words = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()[Marshal.SizeOf<StackCopyRecord>()..]);
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = i % 2 == 0 ? Stack + (ulong)(i + 2) * 8 : 0x401000 + (ulong)i;
        }

        var rules = MemoryMarshal.Cast<byte, UnwindRule>(bytes.AsSpan())[^16..];
        for (var i = 0; i < rules.Length; i++)
        {
            rules[i] = new UnwindRule((CfaKind)(i % 12), (FramePointerKind)(i % 5), CfaOffset: 16, FramePointerOffset: -16);
        }

        return bytes;
    }

    /// <summary>CPython 3.14's: where each number stands is what counts here.</summary>
    private static byte[] PythonRuntimeBytes()
    {
        var bytes = new byte[PythonDebugOffsets.Size];
        "xdebugpy"u8.CopyTo(bytes);
        bytes[10] = 14;
        bytes[11] = 3;
        for (var at = 24; at < bytes.Length; at += 8)
        {
            bytes[at] = (byte)at;
        }

        return bytes;
    }

    /// <summary>An exec, three mappings that overlap and an exit of process 7.</summary>
    private static byte[] ProcessRecords()
    {
        var bytes = new List<byte>();
        Add(3, 1 << 13, 32);
        Add(10, 0, 96, 0x1000, 0x8000);
        Add(10, 0, 96, 0x3000, 0x1000);
        Add(10, 0, 96, 0x2000, 0x5000);
        Add(4, 0, 48);
        return [.. bytes];

        void Add(int type, int misc, int length, ulong start = 0, ulong size = 0)
        {
            var record = new byte[length];
            BinaryPrimitives.WriteInt32LittleEndian(record, type);
            BinaryPrimitives.WriteInt16LittleEndian(record.AsSpan(4), (short)misc);
            BinaryPrimitives.WriteInt16LittleEndian(record.AsSpan(6), (short)length);
            record[8] = record[16] = 7;
            if (size > 0)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(16), start);
                BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(24), size);
            }

            bytes.AddRange(record);
        }
    }

    private static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(Encoding.UTF8.GetBytes);
}
