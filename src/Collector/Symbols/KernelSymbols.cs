using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Names for kernel addresses, those of modules and BPF programs included.</summary>
/// <remarks>
/// The table is read at the first lookup, and again at the end of a round when an address was unknown in it or the list of modules has changed;
/// for unknown addresses at most every <see cref="ReloadRounds"/> rounds. Not for several threads.
/// </remarks>
/// <param name="open">Opens <c>/proc/kallsyms</c>, or throws IOException or UnauthorizedAccessException.</param>
/// <param name="modules">Content of <c>/proc/modules</c>, or "".</param>
internal sealed class KernelSymbols(Func<Stream> open, Func<string> modules, string buildId)
{
    /// <summary>Rounds between two reads that unknown addresses cause.</summary>
    public const int ReloadRounds = 4;

    private const string Name = "[kernel.kallsyms]";
    private const ulong LongestFunction = 1 << 20; // the table has no sizes

    private readonly Dictionary<int, Location> _locations = [];
    private readonly Dictionary<ulong, Location> _unknown = [];
    private KallsymsParser.Table? _table;
    private Module _module = new(Name, buildId, 0, ulong.MaxValue, 0);
    private string _modulesRead = "";
    private bool _sawUnknown;
    private int _roundsSinceRead;

    /// <summary>Why there are no names; null when there are.</summary>
    public string? WhyEmpty { get; private set; }

    public int Count => Table().Addresses.Length;

    /// <summary>The running kernel's.</summary>
    public static KernelSymbols OfThisHost() => new(() => File.OpenRead("/proc/kallsyms"), ReadModules, ReadBuildId());

    public Location Resolve(ulong address)
    {
        var table = Table();
        var index = Array.BinarySearch(table.Addresses, address);
        index = index < 0 ? ~index - 1 : index;
        if (index < 0 || address - table.Addresses[index] > LongestFunction)
        {
            return ResolveUnknown(address);
        }

        while (index > 0 && table.Addresses[index - 1] == table.Addresses[index])
        {
            index--;
        }

        return _locations.TryGetValue(index, out var location) ? location : _locations[index] = Named(table, index);
    }

    /// <summary>Says that a collect interval is over.</summary>
    public void EndRound()
    {
        _roundsSinceRead++;
        if (_table is null)
        {
            return;
        }

        if ((_sawUnknown && WhyEmpty is null && _roundsSinceRead >= ReloadRounds) || modules() != _modulesRead)
        {
            _table = null;
        }
    }

    private Location Named(KallsymsParser.Table table, int index)
    {
        var text = table.Text.AsSpan(table.Names[index]);
        var name = SymbolText.From(text[..text.IndexOf((byte)0)]);
        return new Location(_module, table.Addresses[index], [new Line(new Function(name, name), 0)], IsSymbolized: true);
    }

    private Location ResolveUnknown(ulong address)
    {
        const int Limit = 4096;
        _sawUnknown = true;
        if (_unknown.TryGetValue(address, out var location))
        {
            return location;
        }

        if (_unknown.Count >= Limit)
        {
            _unknown.Clear();
        }

        return _unknown[address] = Unknown.InModule(_module, address);
    }

    private KallsymsParser.Table Table()
    {
        if (_table is not null)
        {
            return _table;
        }

        _locations.Clear();
        _unknown.Clear();
        _modulesRead = modules();
        (_sawUnknown, _roundsSinceRead) = (false, 0);
        _table = Read();
        if (_table.Addresses is [var first, .., var last])
        {
            // One object as long as the kernel runs; a larger range only appears with the first table.
            _module = _module.Start == 0 ? _module with { Start = first, Limit = last + LongestFunction } : _module;
        }

        return _table;
    }

    private KallsymsParser.Table Read()
    {
        try
        {
            using var lines = open();
            var table = KallsymsParser.Parse(lines);
            WhyEmpty = table.Addresses.Length > 0
                ? null
                : "read /proc/kallsyms: all addresses are zero; run with CAP_SYSLOG, or set kernel.kptr_restrict to 1 or 0";
            return table;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WhyEmpty = $"read /proc/kallsyms: {e.Message}";
            return new KallsymsParser.Table([], [], []);
        }
    }

    private static string ReadModules()
    {
        try
        {
            // Name and address of each: the use counts in between change all the time.
            return string.Join('\n', File.ReadLines("/proc/modules").Select(line => line.Split(' ')).Select(fields => fields[0] + fields[^1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // a kernel without modules
        }
    }

    private static string ReadBuildId()
    {
        try
        {
            return ElfNotes.FindGnuBuildId(File.ReadAllBytes("/sys/kernel/notes")) ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
