using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Reads the names of a JVM's methods.</summary>
/// <remarks>The bytes may say anything: each text is cut, and each method is read once. Not for several threads.</remarks>
internal sealed class HotSpotMethods(HotSpotMethodLayout layout)
{
    private const int MostMethods = 16_384;
    private const int LongestSymbol = 1024;
    private const int LongestLineTable = 2048;
    private const int HasLines = 1;
    private const int WordBytes = 8;
    private const string Lambda = "$$Lambda";

    private readonly Dictionary<ulong, Known?> _known = [];
    private readonly CompressedNumbers _numbers = new(layout.AvoidsZeroBytes);

    private sealed record Known(JavaMethod Method, byte[] Lines);

    /// <summary>The method whose description is at an address, or null when what is there is none.</summary>
    /// <param name="bytecode">Index of the bytecode that runs; negative when unknown.</param>
    public JavaCall? Read(IByteSource memory, ulong method, int bytecode = -1)
    {
        if (!_known.TryGetValue(method, out var known))
        {
            if (_known.Count >= MostMethods)
            {
                _known.Clear();
            }

            _known[method] = known = TryRead(memory, method);
        }

        return known is null ? null : new JavaCall(known.Method, bytecode < 0 ? 0 : LineTable.Find(known.Lines, bytecode, _numbers));
    }

    private Known? TryRead(IByteSource memory, ulong method)
    {
        try
        {
            var constMethod = memory.Pointer(method + layout.ConstMethod);
            var pool = memory.Pointer(constMethod + layout.Constants);
            var name = SymbolIn(memory, pool, memory.Short(constMethod + layout.NameIndex));
            var holder = memory.Pointer(pool + layout.PoolHolder);
            var type = Symbol(memory, memory.Pointer(holder + layout.KlassName));
            var file = memory.Short(pool + layout.SourceFileIndex) is var index and > 0 ? SymbolIn(memory, pool, index) : "";
            return name.Length == 0 || type.Length == 0 ? null : new Known(new JavaMethod($"{ShownType(type)}.{name}", file), Lines(memory, constMethod));
        }
        catch (FormatException)
        {
            return null; // unloaded meanwhile, or never a method
        }
    }

    private byte[] Lines(IByteSource memory, ulong constMethod)
    {
        if ((memory.Short(constMethod + layout.ConstMethodFlags) & HasLines) == 0)
        {
            return [];
        }

        Span<byte> table = stackalloc byte[LongestLineTable];
        var start = constMethod + (ulong)layout.ConstMethodBytes + memory.Short(constMethod + layout.CodeSize);
        var have = start > long.MaxValue ? 0 : memory.ReadFully((long)start, table);
        return table[..LineTable.LengthOf(table[..have], _numbers)].ToArray();
    }

    private string SymbolIn(IByteSource memory, ulong pool, ushort index) =>
        Symbol(memory, memory.Pointer(pool + (ulong)layout.PoolBytes + (ulong)index * WordBytes));

    private string Symbol(IByteSource memory, ulong symbol)
    {
        Span<byte> text = stackalloc byte[Math.Min((int)memory.Short(symbol + layout.SymbolLength), LongestSymbol)];
        memory.Fill(symbol + layout.SymbolBody, text);
        return SymbolText.From(text);
    }

    /// <summary>As Java writes it. Classes made at run time lose their address, and lambdas their number, by which each process would have other ones.</summary>
    private static string ShownType(string type)
    {
        var lambda = type.IndexOf(Lambda, StringComparison.Ordinal);
        var address = type.IndexOf("0x", StringComparison.Ordinal) is var at and > 0 && type[at - 1] is '/' or '+' ? at - 1 : type.Length;
        return type[..(lambda < 0 ? address : lambda + Lambda.Length)].Replace('/', '.');
    }
}
