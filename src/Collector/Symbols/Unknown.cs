using System.Globalization;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols;

/// <summary>Locations of code without a name. Address and build id stay, so a server can still find one.</summary>
internal static class Unknown
{
    /// <summary><c>libfoo.so+0x3f9a0</c>.</summary>
    public static Location InModule(Module module, ulong address)
    {
        var file = SymbolText.Clean(module.File[(module.File.LastIndexOf('/') + 1)..]);
        var name = string.Create(CultureInfo.InvariantCulture, $"{file}+0x{address:x}");
        return new Location(module, address, [new Line(new Function(name, name), 0)], IsSymbolized: false);
    }

    /// <summary>Code in no file, such as <c>[anon]</c>.</summary>
    public static Location Named(string name) => new(null, 0, [new Line(new Function(name, name), 0)], IsSymbolized: false);
}
