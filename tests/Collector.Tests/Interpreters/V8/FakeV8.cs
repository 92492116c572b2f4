using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Interpreters.V8;

namespace ActorProfiler.Tests.Interpreters.V8;

/// <summary>A JavaScript heap laid out as that of Node.js 20, or as that of 24.</summary>
internal sealed class FakeV8 : IByteSource
{
    public const int SharedType = 262;
    public const int ScopeType = 261;
    public const int ScriptType = 167;
    public const int ArrayType = 175;
    public const int OddballType = 131;

    private const ulong Start = 0x10000;
    private readonly List<byte> _bytes = [];
    private readonly Dictionary<int, ulong> _maps = [];

    public FakeV8(bool isNew = false)
    {
        Metadata = V8Metadata.From(new V8Constants(Constants(isNew)), out _)!;
        Undefined = Allocate(OddballType, 0);
    }

    public V8Metadata Metadata { get; }

    public V8Heap Heap => new(this, Metadata);

    public ulong Undefined { get; }

    public long Length => long.MaxValue;

    /// <summary>What Node.js exports, as far as it is used. 24 and later have other types in the names, and other places.</summary>
    public static Dictionary<string, int> Constants(bool isNew = false)
    {
        var tagged = isNew ? "Tagged_Object_" : "Object";
        var (shared, shift) = (isNew ? 32 : 24, isNew ? 8 : 0);
        return new Dictionary<string, int>
        {
            ["TaggedSize"] = 8,
            ["SmiShiftSize"] = 31,
            ["SmiValueShift"] = 1,
            ["off_fp_context_or_frame_type"] = -8,
            ["off_fp_function"] = -16,
            ["class_HeapObject__map__Map"] = 0,
            ["class_Map__instance_type__uint16_t"] = 12,
            ["class_JSFunction__shared__SharedFunctionInfo"] = shared,
            [$"class_SharedFunctionInfo__name_or_scope_info__{tagged}"] = 16 + shift,
            [isNew ? "class_SharedFunctionInfo__script__Tagged_HeapObject_" : "class_SharedFunctionInfo__script_or_debug_info__HeapObject"] = 32 + shift,
            ["class_SharedFunctionInfo__raw_function_token_offset__int16_t"] = 44 + shift,
            ["class_Script__source__Object"] = 8,
            ["class_Script__name__Object"] = 16,
            ["class_Script__line_ends__Object"] = 56,
            ["class_String__length__int32_t"] = 12,
            ["class_SeqOneByteString__chars__char"] = 16,
            ["class_SeqTwoByteString__chars__char"] = 16,
            ["class_ConsString__first__String"] = 16,
            ["class_ConsString__second__String"] = 24,
            ["class_ThinString__actual__String"] = 16,
            ["class_SlicedString__parent__String"] = 16,
            ["class_SlicedString__offset__SMI"] = 24,
            ["class_ExternalString__resource__Object"] = 16,
            ["class_FixedArrayBase__length__SMI"] = 8,
            ["class_FixedArray__data__uintptr_t"] = 16,
            ["FirstNonstringType"] = 128,
            ["StringRepresentationMask"] = 7,
            ["SeqStringTag"] = 0,
            ["ConsStringTag"] = 1,
            ["ExternalStringTag"] = 2,
            ["SlicedStringTag"] = 3,
            ["ThinStringTag"] = 5,
            ["StringEncodingMask"] = 8,
            ["OneByteStringTag"] = 8,
            ["scopeinfo_idx_ncontextlocals"] = 2,
            ["scopeinfo_idx_first_vars"] = isNew ? 5 : 3,
            ["type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE"] = SharedType,
            ["type_ScopeInfo__SCOPE_INFO_TYPE"] = ScopeType,
            ["type_Script__SCRIPT_TYPE"] = ScriptType,
            ["type_FixedArray__FIXED_ARRAY_TYPE"] = ArrayType,
            ["type_Oddball__ODDBALL_TYPE"] = OddballType,
        };
    }

    public static ulong Small(int value) => (ulong)(uint)value << 32;

    /// <summary>A new object of some words behind its map; returns its tagged address.</summary>
    public ulong Allocate(int type, params ReadOnlySpan<ulong> words)
    {
        if (!_maps.TryGetValue(type, out var map))
        {
            map = _maps[type] = Add([0, (ulong)type << 32]);
        }

        return Add([map, .. words]);
    }

    public void Set(ulong holder, int index, ulong word) =>
        BinaryPrimitives.WriteUInt64LittleEndian(CollectionsMarshal.AsSpan(_bytes)[(int)(holder - 1 - Start + (ulong)(8 * index))..], word);

    public ulong Text(string text, bool isOneByte = true)
    {
        var bytes = (isOneByte ? Encoding.Latin1 : Encoding.Unicode).GetBytes(text);
        var words = new ulong[1 + (bytes.Length + 7) / 8];
        words[0] = (ulong)text.Length << 32;
        bytes.CopyTo(MemoryMarshal.AsBytes(words.AsSpan(1)));
        return Allocate(isOneByte ? 40 : 32, words);
    }

    public ulong Cons(ulong first, ulong second, int length) => Allocate(33, (ulong)length << 32, first, second);

    public ulong Thin(ulong actual, int length) => Allocate(37, (ulong)length << 32, actual);

    public ulong Sliced(ulong parent, int offset, int length) => Allocate(35, (ulong)length << 32, parent, Small(offset));

    public ulong External(string text)
    {
        var characters = Text(text) - 1 + 16;
        return Allocate(42, (ulong)text.Length << 32, 0xdead, characters);
    }

    public ulong Script(ulong name, ulong source, ulong? lineEnds = null) =>
        Allocate(ScriptType, source, name, 0, 0, 0, 0, lineEnds ?? Undefined);

    /// <summary>Of Node.js 20: flags, parameters, context locals, then what is given.</summary>
    public ulong Scope(int locals, params ReadOnlySpan<ulong> rest) => Allocate(ScopeType, [Small(0), Small(0), Small(locals), .. rest]);

    public ulong Shared(ulong nameOrScope, ulong script, int tokenDistance = 0)
    {
        var shared = Allocate(SharedType, 0, 0, 0, 0, 0, 0, 0, 0);
        Set(shared, (Metadata.Shared.NameOrScope + 1) / 8, nameOrScope);
        Set(shared, (Metadata.Shared.Script + 1) / 8, script);
        Set(shared, (Metadata.Shared.TokenDistance + 1) / 8, (ulong)tokenDistance << 32);
        return shared;
    }

    public int Read(long offset, Span<byte> buffer)
    {
        var at = offset - (long)Start;
        if (at < 0 || at >= _bytes.Count)
        {
            return 0;
        }

        var held = CollectionsMarshal.AsSpan(_bytes)[(int)at..];
        var count = Math.Min(held.Length, buffer.Length);
        held[..count].CopyTo(buffer);
        return count;
    }

    private ulong Add(ReadOnlySpan<ulong> words)
    {
        var address = Start + (ulong)_bytes.Count;
        _bytes.AddRange(MemoryMarshal.AsBytes(words));
        return address + 1;
    }
}
