using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Reads what functions are called out of one process's JavaScript heap.</summary>
/// <remarks>Not for several threads. Source: src/objects/{shared-function-info,scope-info,script}.tq of V8.</remarks>
internal sealed class V8FunctionReader(V8Metadata metadata)
{
    private const string Anonymous = "(anonymous)";
    private const int LongestName = 256;
    private const int LongestFile = 1024;
    private const int MostLocals = 1 << 16;
    private const int ScopeWords = 8; // that may follow the locals and tell the name or the position
    private const ushort UnknownDistance = ushort.MaxValue;

    private readonly V8Lines _lines = new(metadata);

    /// <summary>What a ScopeInfo says of its function.</summary>
    private readonly record struct Scope(string Name, int Start);

    /// <summary>The words that tell whether it is still the same function; default when no function is there.</summary>
    public V8Words Look(V8Heap heap, ulong shared) =>
        heap.TypeOf(shared) == metadata.Frames.SharedType && heap.Word(shared, metadata.Shared.NameOrScope) is { } name
        && heap.Object(shared, metadata.Shared.Script) is { } script ? new V8Words(name, script) : default;

    /// <summary>The name of a function that <see cref="Look"/> has found; null when it cannot be read.</summary>
    public V8Name? Read(V8Heap heap, ulong shared, V8Words words)
    {
        var scriptType = heap.TypeOf(words.Script);
        if (ScopeOf(heap, words.NameOrScope) is not { } scope || scriptType < 0)
        {
            return null;
        }

        var name = scope.Name.Length > 0 ? SymbolText.Clean(scope.Name) : Anonymous;
        if (scriptType != metadata.Script.Type)
        {
            // Instead of the script there may be what a debugger wants to know of the function.
            return new V8Name(name, File: "", Line: 0, IsBuiltin: scriptType == metadata.OddballType);
        }

        var file = heap.Object(words.Script, metadata.Script.Name) is { } path ? heap.Text(path, LongestFile) ?? "" : "";
        return new V8Name(name, FileOf(file), LineOf(heap, shared, words.Script, scope.Start), IsBuiltin: false);
    }

    private int LineOf(V8Heap heap, ulong shared, ulong script, int start)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        if (start < 0 || !heap.TryRead(unchecked(shared + (ulong)(long)metadata.Shared.TokenDistance), bytes))
        {
            return 0;
        }

        var distance = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        return _lines.LineOf(heap, script, distance == UnknownDistance || distance > start ? start : start - distance);
    }

    /// <summary>Null when neither a name nor a ScopeInfo is there.</summary>
    private Scope? ScopeOf(V8Heap heap, ulong nameOrScope)
    {
        if (V8Heap.Small(nameOrScope) is not null)
        {
            return new Scope("", Start: -1);
        }

        var type = heap.TypeOf(nameOrScope);
        if (heap.IsText(type))
        {
            return heap.Text(nameOrScope, LongestName) is { } text ? new Scope(text, Start: -1) : null;
        }

        return type == metadata.Scope.Type ? ReadScope(heap, nameOrScope) : null;
    }

    /// <remarks>
    /// Behind the locals come, each only where the function has one: small integers, the name and the slot of a function's own variable, the inferred
    /// name, the first and last position (in front of the locals since V8 13), and then only objects of other kinds.
    /// </remarks>
    private Scope? ReadScope(V8Heap heap, ulong scope)
    {
        var layout = metadata.Scope;
        if (heap.Word(scope, Slot(layout.Locals)) is not { } word || V8Heap.Small(word) is not { } locals || locals is < 0 or > MostLocals)
        {
            return null;
        }

        var next = layout.FirstLocal + LocalWords(heap, scope, locals);
        var (name, last, lastButOne) = ("", -1, -1);
        for (var i = 0; i < ScopeWords && heap.Word(scope, Slot(next + i)) is { } value; i++)
        {
            var (small, type) = (V8Heap.Small(value), heap.TypeOf(value));
            if (small is null && !heap.IsText(type) && type != metadata.OddballType)
            {
                break;
            }

            name = name.Length == 0 && small is null && heap.IsText(type) ? heap.Text(value, LongestName) ?? "" : name;
            (lastButOne, last) = (last, small ?? -1);
        }

        const int PositionWords = 2;
        return layout.FirstLocal > layout.Locals + PositionWords
            ? new Scope(name, heap.Word(scope, Slot(layout.FirstLocal - PositionWords)) is { } start ? V8Heap.Small(start) ?? -1 : -1)
            : new Scope(name, lastButOne >= 0 && lastButOne <= last ? lastButOne : -1);
    }

    /// <summary>Of many locals, the names are in a table of their own. In modules a number stands before them.</summary>
    private int LocalWords(V8Heap heap, ulong scope, int locals)
    {
        const int BeforeInModules = 1;
        if (locals == 0 || heap.Word(scope, Slot(metadata.Scope.FirstLocal)) is not { } first)
        {
            return 0;
        }

        var extra = V8Heap.Small(first) is null ? 0 : BeforeInModules;
        var isInside = heap.Object(scope, Slot(metadata.Scope.FirstLocal + extra)) is { } name && heap.IsText(heap.TypeOf(name));
        return extra + (isInside ? 2 * locals : 1 + locals);
    }

    private static int Slot(int index) => sizeof(ulong) * (1 + index) - V8Heap.Tag;

    /// <summary>Modules go by URL, scripts by path.</summary>
    private static string FileOf(string name)
    {
        const string Local = "file://";
        return SymbolText.Clean(name.StartsWith(Local + "/", StringComparison.Ordinal) ? Uri.UnescapeDataString(name[Local.Length..]) : name);
    }
}
