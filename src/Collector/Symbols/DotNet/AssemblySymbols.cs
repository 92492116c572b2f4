using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Symbols.DotNet;

/// <summary>Names for the precompiled code of one .NET assembly. Not for several threads. Owns nothing that is open.</summary>
internal sealed class AssemblySymbols(Module module, PrecompiledMethods? methods)
{
    private readonly Dictionary<uint, Location> _byStart = [];

    /// <summary>Reads the assembly behind a mapping. It names nothing when the file is no assembly with precompiled code.</summary>
    public static AssemblySymbols Read(OpenedFile opened, in MemoryMapping mapping)
    {
        var module = new Module(mapping.Path, "", 0, (ulong)opened.Status.Size, 0);
        using var source = new FileSource(opened.Handle!, opened.Status.Size);
        try
        {
            return new AssemblySymbols(module, PrecompiledMethods.Read(source.ReadRange(0, (ulong)opened.Status.Size, PrecompiledMethods.ImageBytes, mapping.Path)));
        }
        catch (FormatException)
        {
            return new AssemblySymbols(module, null); // its frames keep their offsets
        }
    }

    /// <summary>The location of an offset in the file, or null when no method is known there.</summary>
    public Location? Resolve(ulong offset)
    {
        if (methods?.AddressOfOffset(offset) is not { } address || methods.Find(address) is not { } method)
        {
            return null;
        }

        if (!_byStart.TryGetValue(method.Start, out var location))
        {
            location = new Location(module, method.Start, [new Line(new Function(method.Name, method.Name), 0)], IsSymbolized: true);
            _byStart.Add(method.Start, location);
        }

        return location;
    }
}
