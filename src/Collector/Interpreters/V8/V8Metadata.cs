namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Where things are in the objects of one build of V8. Offsets in bytes from the tagged address of an object.</summary>
/// <param name="Frames">What the BPF programs are told.</param>
/// <param name="Shared">Fields of SharedFunctionInfo.</param>
/// <param name="Script">Fields of Script.</param>
/// <param name="Text">Fields and types of strings.</param>
/// <param name="Scope">Fields of ScopeInfo.</param>
/// <param name="ArrayLength">Of FixedArray: a small integer.</param>
/// <param name="ArrayElements">Of FixedArray: the first element.</param>
/// <param name="ArrayType">Instance type of FixedArray.</param>
/// <param name="OddballType">Instance type of <c>undefined</c> and its like.</param>
internal sealed record V8Metadata(
    V8Layout Frames, V8Shared Shared, V8Script Script, V8Text Text, V8Scope Scope, int ArrayLength, int ArrayElements, int ArrayType, int OddballType)
{
    private const int PointerBytes = 8;
    private const int SmiBits = 32;
    private const int LargestOffset = 4096;

    /// <summary>Makes sense of the constants of a build.</summary>
    /// <param name="reason">"" with a result; else why there is none: a counter's label.</param>
    public static V8Metadata? From(V8Constants constants, out string reason)
    {
        // With compressed pointers a field is 4 bytes, relative to a base that no constant tells.
        if (constants.Find("TaggedSize") is not null and not PointerBytes
            || (constants.Find("SmiShiftSize") ?? SmiBits - 1) + (constants.Find("SmiValueShift") ?? 1) != SmiBits)
        {
            reason = "v8_compressed_pointers";
            return null;
        }

        try
        {
            reason = "";
            return new Builder(constants).Build();
        }
        catch (FormatException)
        {
            reason = "v8_version";
            return null;
        }
    }

    private readonly struct Builder(V8Constants constants)
    {
        private readonly V8Constants _constants = constants;

        public V8Metadata Build() => new(
            new V8Layout(
                FramePart("off_fp_context_or_frame_type", "off_fp_context"),
                FramePart("off_fp_function"),
                Tagged("JSFunction", "shared"),
                Tagged("HeapObject", "map"),
                Tagged("Map", "instance_type"),
                (uint)Type("SharedFunctionInfo")),
            new V8Shared(
                Tagged("SharedFunctionInfo", "name_or_scope_info"),
                Tagged("SharedFunctionInfo", "script", "script_or_debug_info"),
                Tagged("SharedFunctionInfo", "raw_function_token_offset")),
            new V8Script(Type("Script"), Tagged("Script", "name"), Optional("Script", "source") ?? PointerBytes - V8Heap.Tag, Tagged("Script", "line_ends")),
            BuildText(),
            BuildScope(),
            Tagged("FixedArrayBase", "length"),
            Tagged("FixedArray", "data"),
            Type("FixedArray"),
            Type("Oddball"));

        private V8Text BuildText() => new(
            Number("FirstNonstringType"),
            Number("StringRepresentationMask"),
            Number("SeqStringTag"),
            Number("ConsStringTag"),
            Number("ExternalStringTag"),
            Number("SlicedStringTag"),
            Number("ThinStringTag"),
            Number("StringEncodingMask"),
            Number("OneByteStringTag"),
            Tagged("String", "length"),
            Tagged("SeqOneByteString", "chars"),
            Tagged("SeqTwoByteString", "chars"),
            Tagged("ConsString", "first"),
            Tagged("ConsString", "second"),
            Tagged("ThinString", "actual"),
            Tagged("SlicedString", "parent"),
            Tagged("SlicedString", "offset"),
            Tagged("ExternalString", "resource"));

        private V8Scope BuildScope()
        {
            var (locals, first) = (Number("scopeinfo_idx_ncontextlocals"), Number("scopeinfo_idx_first_vars"));
            return locals >= 0 && first is > 0 and < LargestOffset && locals < first
                ? new V8Scope(Type("ScopeInfo"), locals, first) : throw new FormatException($"ScopeInfo: {locals} context locals, variables from {first}");
        }

        private int Tagged(string type, params ReadOnlySpan<string> fields)
        {
            foreach (var field in fields)
            {
                if (Optional(type, field) is { } offset)
                {
                    return offset;
                }
            }

            throw new FormatException($"V8 describes no {type}::{fields[0]}");
        }

        private int? Optional(string type, string field) => _constants.Field(type, field) switch
        {
            null => null,
            var offset and >= 0 and < LargestOffset => offset - V8Heap.Tag,
            var offset => throw new FormatException($"V8: {type}::{field} is at {offset}"),
        };

        private int Type(string type) => _constants.Type(type) is { } value and >= 0 and <= ushort.MaxValue
            ? value : throw new FormatException($"V8 describes no {type}");

        private int Number(string name) => _constants.Find(name) ?? throw new FormatException($"V8 describes no {name}");

        private int FramePart(params ReadOnlySpan<string> names)
        {
            foreach (var name in names)
            {
                if (_constants.Find(name) is { } offset and > -LargestOffset and < LargestOffset)
                {
                    return offset;
                }
            }

            throw new FormatException($"V8 describes no {names[0]}");
        }
    }
}

/// <param name="NameOrScope">The name, or the ScopeInfo that has it once the function is compiled.</param>
/// <param name="Script">The Script it is in; <c>undefined</c> for V8's own functions.</param>
/// <param name="TokenDistance">16 bits: from where the function begins, as with its name, to its parameters.</param>
internal readonly record struct V8Shared(int NameOrScope, int Script, int TokenDistance);

/// <param name="LineEnds">A FixedArray of positions, once a stack trace has needed it.</param>
internal readonly record struct V8Script(int Type, int Name, int Source, int LineEnds);

/// <summary>A string's instance type says, in bits, how it holds its characters, and how wide they are.</summary>
/// <param name="FirstOtherType">The lowest instance type that is none of a string.</param>
internal readonly record struct V8Text(
    int FirstOtherType,
    int FormMask,
    int Sequential,
    int Cons,
    int External,
    int Sliced,
    int Thin,
    int WidthMask,
    int OneByte,
    int Length,
    int OneByteCharacters,
    int TwoByteCharacters,
    int ConsFirst,
    int ConsSecond,
    int ThinActual,
    int SlicedParent,
    int SlicedOffset,
    int ExternalResource);

/// <summary>A ScopeInfo is a row of words behind its map.</summary>
/// <param name="Locals">Index of the number of its context locals, whose names and properties come first.</param>
/// <param name="FirstLocal">Index of the first of them.</param>
internal readonly record struct V8Scope(int Type, int Locals, int FirstLocal);
