using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Elf.Go;
using ActorProfiler.Collector.Symbols.Demangling;
using ActorProfiler.Collector.Symbols.Dwarf;
using ActorProfiler.Collector.Symbols.Go;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Names for the addresses of one ELF file.</summary>
/// <remarks>
/// Sources in order: Go's function table (with lines and inlined calls), the separate debug file, the file's own symbols, its packed mini debug file, its dynamic symbols, PLT stubs. Code that
/// none of them names is called <c>libfoo.so+0x3f9a0</c> after the start of its function, so that one function is one node; that of a program's entry point <c>_start</c>.
/// Each is read when the ones before it had no name: of most Go programs Go's alone. Not for several threads. Owns the debug file; lives while a cache or a process retains it.
/// </remarks>
internal sealed class FileSymbols(ElfFile file, string processRoot, DemangleMode demangle, bool withLines = false)
{
    private const int UnknownLimit = 1 << 16;
    private const string EntryName = "_start";

    // How far a symbol without a size can reach; where the code was not swept over, functions may begin in between.
    private const ulong UnsizedBytes = 64 << 10;
    private const ulong UnsweptBytes = 4 << 10;
    private const ulong EntryBytes = 256;

    private readonly Dictionary<ulong, Location> _unknown = [];
    private readonly Dictionary<ulong, Location> _unknownByStart = [];
    private List<(SymbolTable Table, Dictionary<int, Location> Locations)>? _tables;
    private ElfFile? _debugFile;
    private CodeStarts? _starts;
    private PltStubs? _stubs;
    private Dictionary<ulong, string> _parts = [];
    private GoSymbols? _go;
    private bool _isGoRead;
    private bool _isCodeRead;
    private bool _isProgram;
    private LineLocations? _lines;
    private int _users;

    public ElfFile File => file;

    /// <summary>Functions with a name, in the tables read so far.</summary>
    public int SymbolCount => (_tables?.Sum(source => source.Table.Count) ?? 0) + (_go?.Count ?? 0);

    /// <summary>Path of the separate debug file in use, or null.</summary>
    public string? DebugFilePath => _debugFile?.Path;

    /// <summary>Says that one more holder uses this object.</summary>
    public FileSymbols Retain()
    {
        _users++;
        return this;
    }

    /// <summary>Says that one holder is done; the last one closes the debug file.</summary>
    public void Release()
    {
        if (--_users == 0)
        {
            _debugFile?.Dispose();
        }
    }

    /// <param name="address">In the file's own address space.</param>
    /// <param name="goTableFallback">Whether other tables are asked for what Go's table of a Go program does not name.</param>
    public Location Resolve(ulong address, bool goTableFallback = true)
    {
        if (!_isGoRead)
        {
            _isGoRead = true;
            _go = Try(() => GoTable.Read(file)) is { } table ? new GoSymbols(table, file.Module) : null;
        }

        if (_go?.Resolve(address) is { } inGo)
        {
            return inGo;
        }

        if (_go is not null && !goTableFallback)
        {
            return ResolveUnknown(address);
        }

        _tables ??= ReadTables();
        var location = ResolveFunction(_tables, address);
        return _lines?.Resolve(address, location) ?? location;
    }

    private Location ResolveFunction(List<(SymbolTable Table, Dictionary<int, Location> Locations)> tables, ulong address)
    {
        foreach (var (table, locations) in tables)
        {
            var symbol = table.Find(address);
            if (symbol < 0 || (table.IsUnsized(symbol) && !Reaches(table.AddressOf(symbol), address)))
            {
                continue;
            }

            if (locations.TryGetValue(symbol, out var known))
            {
                return known;
            }

            if (table.NameOf(symbol) is { } name)
            {
                return locations[symbol] = Named(table.AddressOf(symbol), name, isSymbolized: true);
            }
        }

        return ResolveUnknown(address);
    }

    private Location ResolveUnknown(ulong address) => _unknown.TryGetValue(address, out var location) ? location : Remember(address);

    private Location Remember(ulong address)
    {
        if (_unknown.Count >= UnknownLimit)
        {
            _unknown.Clear();
            _unknownByStart.Clear();
        }

        ReadCode();
        if (_stubs?.Find(address) is { } stub)
        {
            return _unknown[address] = _unknownByStart.TryGetValue(stub.Address, out var known)
                ? known
                : _unknownByStart[stub.Address] = Named(stub.Address, stub.Name, isSymbolized: true);
        }

        var start = _starts!.Find(address) ?? address;
        var isEntry = _isProgram && start == file.EntryPoint;
        start = isEntry && address - start >= EntryBytes ? address : start;
        if (!_unknownByStart.TryGetValue(start, out var location))
        {
            location = _parts.TryGetValue(start, out var part) ? Named(start, part, isSymbolized: true)
                : isEntry && start == file.EntryPoint ? Named(start, EntryName, isSymbolized: true)
                : Unknown.InModule(file.Module, start);
            _unknownByStart[start] = location;
        }

        return _unknown[address] = location;
    }

    private void ReadCode()
    {
        if (_isCodeRead)
        {
            return;
        }

        _isCodeRead = true;
        var frames = Try(() => FrameStarts.Read(file));
        _starts = new CodeStarts(file, frames);
        _parts = frames is not null ? Try(() => FunctionParts.Read(file, frames)) ?? [] : [];
        _stubs = Try(() => PltStubs.Read(file));
        _isProgram = Try(() => file.IsProgram() ? file : null) is not null;
    }

    /// <summary>Whether no function begins between a symbol without a size and an address behind it.</summary>
    private bool Reaches(ulong symbol, ulong address)
    {
        ReadCode();
        var start = _starts!.Find(address);
        return (start is null || start <= symbol) && address - symbol < (_starts.IsSwept(address) ? UnsizedBytes : UnsweptBytes);
    }

    private Location Named(ulong address, string systemName, bool isSymbolized) =>
        new(file.Module, address, [new Line(new Function(Demangler.Demangle(systemName, demangle), systemName), 0)], isSymbolized);

    private List<(SymbolTable, Dictionary<int, Location>)> ReadTables()
    {
        var tables = new List<(SymbolTable, Dictionary<int, Location>)>();
        _debugFile = file.Path.StartsWith('/') ? DebugFiles.Find(file, processRoot) : null;
        if (_debugFile is not null)
        {
            AddTables(tables, _debugFile, ElfSection.SymbolTable);
        }

        AddTables(tables, file, ElfSection.SymbolTable);
        if (tables.Count == 0 && Try(() => MiniDebug.Read(file)) is { } mini)
        {
            AddTables(tables, mini, ElfSection.SymbolTable);
        }

        AddTables(tables, file, ElfSection.DynamicSymbols);
        _lines = withLines && ReadLines() is { } lines ? new LineLocations(lines, demangle) : null;
        return tables;
    }

    private DwarfLines? ReadLines() =>
        (_debugFile is not null ? Try(() => DwarfLines.Read(_debugFile)) : null) ?? Try(() => DwarfLines.Read(file));

    private void AddTables(List<(SymbolTable, Dictionary<int, Location>)> tables, ElfFile from, uint type)
    {
        foreach (var section in from.Sections)
        {
            if (section.Type == type && Try(() => SymbolTable.Read(from, section, file)) is { } table)
            {
                tables.Add((table, []));
            }
        }
    }

    /// <summary>A malformed table is one table less; the other sources still give names.</summary>
    private static T? Try<T>(Func<T?> read) where T : class
    {
        try
        {
            return read();
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
