using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Names of the stubs through which code calls other libraries: <c>malloc@plt</c>.</summary>
/// <remarks>
/// No symbol names them. On x86-64 a stub jumps through a slot (<c>jmp *disp(%rip)</c>), and a relocation says whose slot it is;
/// on aarch64 stubs are in the order of their relocations, after a header of two.
/// Source: System V ABI, AMD64 supplement, "Procedure Linkage Table".
/// </remarks>
internal sealed class PltStubs
{
    private const int StubSize = 16;
    private const int SectionBytes = 16 << 20;
    private const int RelocationSize = 24;

    private readonly Dictionary<ulong, uint> _symbols = []; // by address of the stub
    private readonly ElfFile _file;
    private readonly ElfSection? _dynamicSymbols;

    private PltStubs(ElfFile file)
    {
        _file = file;
        _dynamicSymbols = file.Sections.Cast<ElfSection?>().FirstOrDefault(section => section!.Value.Type == ElfSection.DynamicSymbols);
    }

    /// <exception cref="FormatException">A section is malformed.</exception>
    public static PltStubs Read(ElfFile file)
    {
        var stubs = new PltStubs(file);
        var relocations = stubs.ReadRelocations();
        foreach (var section in file.Sections)
        {
            if (section is { HasBytes: true, Name: ".plt" or ".plt.sec" or ".plt.got" } && section.Size <= SectionBytes)
            {
                stubs.Add(section, relocations);
            }
        }

        return stubs;
    }

    /// <summary>The stub's address and its name, or null when the address is in no stub that has one.</summary>
    public (ulong Address, string Name)? Find(ulong address)
    {
        var stub = address & ~(ulong)(StubSize - 1);
        if (!_symbols.TryGetValue(stub, out var symbol))
        {
            stub = address & ~7ul; // .plt.got without control-flow marks has stubs of 8 bytes
            if (!_symbols.TryGetValue(stub, out symbol))
            {
                return null;
            }
        }

        return NameOf(symbol) is { } name ? (stub, name + "@plt") : null;
    }

    private void Add(ElfSection section, List<(ulong Slot, uint Symbol)> relocations)
    {
        var code = _file.ReadSection(section, SectionBytes);
        if (_file.Machine == ElfMachine.Arm64)
        {
            for (var i = 0; section.Name == ".plt" && i < relocations.Count && (i + 3) * StubSize <= code.Length; i++)
            {
                _symbols.TryAdd(section.Address + (ulong)((i + 2) * StubSize), relocations[i].Symbol);
            }

            return;
        }

        var bySlot = relocations.DistinctBy(one => one.Slot).ToDictionary(one => one.Slot, one => one.Symbol);
        var size = section.Name == ".plt.got" && !code.AsSpan().StartsWith<byte>([0xf3, 0x0f, 0x1e, 0xfa]) ? 8 : StubSize;
        for (var at = 0; at + size <= code.Length; at += size)
        {
            var jump = code.AsSpan(at, size).IndexOf<byte>([0xff, 0x25]);
            if (jump < 0 || jump + 6 > size)
            {
                continue;
            }

            var fields = new ByteReader(code.AsSpan(at + jump + 2));
            var slot = unchecked(section.Address + (ulong)(at + jump + 6) + (ulong)(int)fields.U32());
            if (bySlot.TryGetValue(slot, out var symbol))
            {
                _symbols.TryAdd(section.Address + (ulong)at, symbol);
            }
        }
    }

    private List<(ulong Slot, uint Symbol)> ReadRelocations()
    {
        var relocations = new List<(ulong, uint)>();
        foreach (var name in (ReadOnlySpan<string>)[".rela.plt", ".rela.dyn"])
        {
            if (_file.Section(name) is not { HasBytes: true } section || section.Size > SectionBytes)
            {
                continue;
            }

            var fields = new ByteReader(_file.ReadSection(section, SectionBytes));
            while (fields.Remaining >= RelocationSize)
            {
                var (slot, kind) = (fields.U64(), fields.U64());
                fields.Skip(8);
                if (kind >> 32 != 0)
                {
                    relocations.Add((slot, (uint)(kind >> 32)));
                }
            }
        }

        return relocations;
    }

    private string? NameOf(uint symbol)
    {
        Span<byte> entry = stackalloc byte[4];
        if (_dynamicSymbols is not { } table || (symbol + 1ul) * 24 > table.Size || table.Link >= _file.Sections.Length ||
            _file.Source.ReadFully((long)(table.Offset + symbol * 24ul), entry) < entry.Length)
        {
            return null;
        }

        var strings = _file.Sections[(int)table.Link];
        var at = BitConverter.ToUInt32(entry);
        Span<byte> name = stackalloc byte[1024];
        var have = at < strings.Size ? _file.Source.ReadFully((long)(strings.Offset + at), name) : 0;
        var length = name[..have].IndexOf((byte)0);
        return length > 0 ? SymbolText.From(name[..length]) : null;
    }
}
