using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.DotNet;

/// <summary>Which method an instance of generic code belongs to.</summary>
/// <param name="Method">Row of the method in this assembly's metadata; 0 when it is of another assembly or has none.</param>
/// <param name="Length">Bytes of the signature.</param>
internal readonly record struct InstanceSignature(uint Method, int Length)
{
    private const int DepthLimit = 32;
    private const uint MethodInstantiation = 0x04, SlotInsteadOfToken = 0x08, MemberReference = 0x10, Constrained = 0x20, OwnerType = 0x40, UpdateContext = 0x80;

    /// <summary>Reads the signature at the start of <paramref name="bytes"/>.</summary>
    /// <remarks>Source: dotnet/runtime, docs/design/coreclr/botr/readytorun-format.md (method signatures); ECMA-335 II.23.2.</remarks>
    /// <exception cref="FormatException">It is malformed or nested too deep.</exception>
    public static InstanceSignature Read(ReadOnlySpan<byte> bytes)
    {
        var fields = new ByteReader(bytes);
        var flags = Number(ref fields);
        var isForeign = (flags & (UpdateContext | SlotInsteadOfToken | MemberReference)) != 0;
        if ((flags & UpdateContext) != 0)
        {
            Number(ref fields);
        }

        if ((flags & OwnerType) != 0)
        {
            isForeign |= SkipType(ref fields, 0);
        }

        var method = Number(ref fields);
        if ((flags & MethodInstantiation) != 0)
        {
            SkipTypes(ref fields, 0);
        }

        if ((flags & Constrained) != 0)
        {
            SkipType(ref fields, 0);
        }

        return new InstanceSignature(isForeign ? 0 : method, fields.Position);
    }

    /// <summary>A compressed number of ECMA-335 II.23.2.</summary>
    private static uint Number(ref ByteReader fields)
    {
        uint first = fields.U8();
        return (first & 0x80) == 0 ? first
            : (first & 0xc0) == 0x80 ? (first & 0x3f) << 8 | fields.U8()
            : (first & 0x1f) << 24 | (uint)fields.U8() << 16 | (uint)fields.U8() << 8 | fields.U8();
    }

    private static void SkipTypes(ref ByteReader fields, int depth)
    {
        for (var count = Number(ref fields); count > 0; count--)
        {
            SkipType(ref fields, depth + 1);
        }
    }

    /// <summary>Returns whether the type is of another assembly.</summary>
    private static bool SkipType(ref ByteReader fields, int depth)
    {
        if (depth > DepthLimit)
        {
            throw new FormatException($"type nested more than {DepthLimit} deep");
        }

        switch (fields.U8())
        {
            case 0x3f: // of module number N
                Number(ref fields);
                SkipType(ref fields, depth + 1);
                return true;
            case 0x0f or 0x10 or 0x1d or 0x3d or 0x45: // pointer, reference, vector, native value, pinned
                return SkipType(ref fields, depth + 1);
            case 0x11 or 0x12 or 0x13 or 0x1e or 0x3b: // value type, class, type variables
                Number(ref fields);
                return false;
            case 0x14: // array
                var isForeign = SkipType(ref fields, depth + 1);
                Number(ref fields);
                SkipNumbers(ref fields);
                SkipNumbers(ref fields);
                return isForeign;
            case 0x15: // generic instance
                var isForeignGeneric = SkipType(ref fields, depth + 1);
                SkipTypes(ref fields, depth);
                return isForeignGeneric;
            case <= 0x0e or 0x16 or 0x18 or 0x19 or 0x1c or 0x3e: // primitives, native ints, object, shared code
                return false;
            case var other:
                throw new FormatException($"element type {other:x} in a method signature");
        }
    }

    private static void SkipNumbers(ref ByteReader fields)
    {
        for (var count = Number(ref fields); count > 0; count--)
        {
            Number(ref fields);
        }
    }
}
