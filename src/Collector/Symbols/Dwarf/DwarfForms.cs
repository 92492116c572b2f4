using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Symbols.Dwarf;

/// <summary>Reads attribute values by their form. Source: DWARF 5 §7.5.6.</summary>
internal static class DwarfForms
{
    /// <summary>The value, or its offset, index or position; 0 for blocks, which are passed over.</summary>
    /// <param name="form">Replaced by the real form when it is indirect.</param>
    /// <exception cref="FormatException">An unknown form, or the bytes end.</exception>
    public static ulong Read(ref ByteReader fields, DwarfUnit unit, ref ushort form, long constant)
    {
        if (form == 0x16)
        {
            form = (ushort)fields.Uleb();
        }

        switch (form)
        {
            case 0x01 or 0x07 or 0x14 or 0x20 or 0x24:
                return fields.U64();
            case 0x05 or 0x12 or 0x26 or 0x2a:
                return fields.U16();
            case 0x06 or 0x13 or 0x1c or 0x28 or 0x2c:
                return fields.U32();
            case 0x0b or 0x0c or 0x11 or 0x25 or 0x29:
                return fields.U8();
            case 0x0d:
                return (ulong)fields.Sleb();
            case 0x0f or 0x15 or 0x1a or 0x1b or 0x22 or 0x23 or 0x1f01 or 0x1f02:
                return fields.Uleb();
            case 0x0e or 0x10 or 0x17 or 0x1d or 0x1f or 0x1f20 or 0x1f21:
                return form == 0x10 && unit.Version == 2 ? fields.U64() : unit.OffsetSize == 8 ? fields.U64() : fields.U32();
            case 0x08:
                var start = (ulong)fields.Position;
                fields.ZeroTerminated();
                return start;
            case 0x19:
                return 1;
            case 0x21:
                return (ulong)constant;
            case 0x27 or 0x2b:
                return fields.U16() | (ulong)fields.U8() << 16;
            default:
                SkipBlock(ref fields, form);
                return 0;
        }
    }

    private static void SkipBlock(ref ByteReader fields, ushort form)
    {
        var length = form switch
        {
            0x03 => fields.U16(),
            0x04 => fields.U32(),
            0x09 or 0x18 => fields.Uleb(),
            0x0a => fields.U8(),
            0x1e => 16ul,
            _ => throw new FormatException($"unknown DWARF form {form:x}"),
        };
        fields.Skip(length);
    }
}
