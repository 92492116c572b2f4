using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.DotNet;

/// <summary>Names of the code that a .NET assembly carries precompiled (ReadyToRun), as <c>Namespace.Type::Method[PreJIT]</c>.</summary>
/// <remarks>Source: dotnet/runtime, docs/design/coreclr/botr/readytorun-format.md at v10.0.0; ECMA-335. x86-64 only.</remarks>
internal sealed class PrecompiledMethods
{
    public const int ImageBytes = 128 << 20;

    private const uint Signature = 0x00525452;
    private const int FunctionSize = 12, MethodLimit = 1 << 20, SectionLimit = 64;
    private const uint Unnamed = uint.MaxValue;
    private const uint RuntimeFunctions = 102, MethodEntryPoints = 103, InstanceEntryPoints = 109;

    private readonly MetadataReaderProvider _metadata;
    private readonly ImmutableArray<SectionHeader> _sections;
    private readonly uint[] _starts; // of all functions, ascending
    private readonly uint[] _ends;
    private readonly uint[] _methods; // row of the method each belongs to; 0 unknown

    private PrecompiledMethods(PEReader image, ReadOnlySpan<byte> functions)
    {
        _sections = image.PEHeaders.SectionHeaders;
        _metadata = MetadataReaderProvider.FromMetadataImage(image.GetMetadata().GetContent());
        (_starts, _ends) = (new uint[functions.Length / FunctionSize], new uint[functions.Length / FunctionSize]);
        _methods = new uint[_starts.Length];
        for (var i = 0; i < _starts.Length; i++)
        {
            _starts[i] = BinaryPrimitives.ReadUInt32LittleEndian(functions[(i * FunctionSize)..]);
            _ends[i] = BinaryPrimitives.ReadUInt32LittleEndian(functions[(i * FunctionSize + 4)..]);
            if (i > 0 && _starts[i] < _starts[i - 1])
            {
                throw new FormatException($"function {i} begins before the one in front of it");
            }
        }
    }

    /// <summary>Relative virtual addresses of all functions, ascending.</summary>
    public ReadOnlySpan<uint> Starts => _starts;

    /// <summary>Null when the assembly has no precompiled code of its own.</summary>
    /// <exception cref="FormatException">The image is malformed.</exception>
    public static PrecompiledMethods? Read(byte[] image)
    {
        try
        {
            using var reader = new PEReader(ImmutableArray.Create(image));
            return Read(reader, image);
        }
        catch (Exception e) when (e is BadImageFormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException($"read .NET image: {e.Message}", e);
        }
    }

    /// <summary>The relative virtual address of a position in the file, or null.</summary>
    public uint? AddressOfOffset(ulong offset)
    {
        foreach (var section in _sections)
        {
            if (offset >= (uint)section.PointerToRawData && offset - (uint)section.PointerToRawData < (uint)section.SizeOfRawData)
            {
                return (uint)(offset - (uint)section.PointerToRawData) + (uint)section.VirtualAddress;
            }
        }

        return null;
    }

    /// <summary>Name and first address of the function that holds a relative virtual address, or null.</summary>
    public (string Name, uint Start)? Find(uint address)
    {
        var index = Array.BinarySearch(_starts, address);
        index = index < 0 ? ~index - 1 : index;
        if (index < 0 || (_ends[index] > _starts[index] && address >= _ends[index]) || _methods[index] == 0)
        {
            return null;
        }

        try
        {
            return (NameOf(_methods[index]), _starts[index]);
        }
        catch (BadImageFormatException)
        {
            return null;
        }
    }

    private static PrecompiledMethods? Read(PEReader reader, ReadOnlySpan<byte> image)
    {
        if (reader.PEHeaders.CorHeader?.ManagedNativeHeaderDirectory is not { Size: > 16 } directory || !reader.HasMetadata
            || !reader.PEHeaders.TryGetDirectoryOffset(directory, out var at))
        {
            return null;
        }

        var fields = new ByteReader(image[at..]);
        if (fields.U32() != Signature)
        {
            return null;
        }

        fields.Skip(8); // version, flags
        var sections = new Dictionary<uint, (uint Address, uint Size)>();
        for (var count = Math.Min(fields.U32(), SectionLimit); count > 0; count--)
        {
            sections[fields.U32()] = (fields.U32(), fields.U32());
        }

        if (!sections.TryGetValue(RuntimeFunctions, out var functions))
        {
            return null;
        }

        var methods = new PrecompiledMethods(reader, BytesOf(reader, image, functions));
        methods.ReadEntryPoints(reader, image, sections);
        methods.GivePartsToTheirMethods();
        return methods;
    }

    private void ReadEntryPoints(PEReader reader, ReadOnlySpan<byte> image, Dictionary<uint, (uint Address, uint Size)> sections)
    {
        if (sections.TryGetValue(MethodEntryPoints, out var entries))
        {
            var bytes = BytesOf(reader, image, entries);
            foreach (var (index, at) in NativeFormat.ReadArray(bytes, 0, MethodLimit))
            {
                Note(bytes, at, index + 1);
            }
        }

        if (sections.TryGetValue(InstanceEntryPoints, out var instances))
        {
            var bytes = BytesOf(reader, image, instances);
            foreach (var at in NativeFormat.ReadTable(bytes, 0, MethodLimit))
            {
                var signature = InstanceSignature.Read(bytes[(int)Math.Min(at, (uint)bytes.Length)..]);
                Note(bytes, at + (uint)signature.Length, signature.Method == 0 ? Unnamed : signature.Method);
            }
        }
    }

    /// <summary>Notes whose code the entry point at a position is.</summary>
    private void Note(ReadOnlySpan<byte> bytes, uint at, uint method)
    {
        var id = NativeFormat.Unsigned(bytes, ref at);
        var function = (id & 1) != 0 ? id >> 2 : id >> 1;
        if (function < (uint)_methods.Length)
        {
            _methods[function] = method;
        }
    }

    /// <summary>Handlers and filters follow the function of their method.</summary>
    private void GivePartsToTheirMethods()
    {
        uint current = 0;
        for (var i = 0; i < _methods.Length; i++)
        {
            current = _methods[i] == 0 ? current : _methods[i] == Unnamed ? 0 : _methods[i];
            _methods[i] = current;
        }
    }

    private string NameOf(uint row)
    {
        var reader = _metadata.GetMetadataReader();
        var method = reader.GetMethodDefinition(MetadataTokens.MethodDefinitionHandle((int)row));
        var type = reader.GetTypeDefinition(method.GetDeclaringType());
        var name = reader.GetString(type.Name);
        for (var depth = 0; !type.GetDeclaringType().IsNil && depth < 32; depth++)
        {
            type = reader.GetTypeDefinition(type.GetDeclaringType());
            name = $"{reader.GetString(type.Name)}+{name}";
        }

        var space = reader.GetString(type.Namespace);
        return SymbolText.Clean($"{space}{(space.Length > 0 ? "." : "")}{name}::{reader.GetString(method.Name)}[PreJIT]");
    }

    private static ReadOnlySpan<byte> BytesOf(PEReader reader, ReadOnlySpan<byte> image, (uint Address, uint Size) section)
    {
        var directory = new DirectoryEntry((int)section.Address, (int)section.Size);
        return reader.PEHeaders.TryGetDirectoryOffset(directory, out var at) && at <= image.Length && section.Size <= (uint)(image.Length - at)
            ? image.Slice(at, (int)section.Size)
            : throw new FormatException($"section of {section.Size} bytes at {section.Address:x} lies outside the image");
    }
}
