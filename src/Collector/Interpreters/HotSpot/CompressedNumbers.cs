namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>Reads the numbers of HotSpot's debug information: one to five bytes each, six bits a byte but for the last.</summary>
/// <remarks>Source: src/hotspot/share/utilities/unsigned5.hpp of OpenJDK.</remarks>
/// <param name="avoidsZeroBytes">From JDK 20 on no byte of them is zero.</param>
internal readonly struct CompressedNumbers(bool avoidsZeroBytes)
{
    private const int LowestContinued = 192;
    private const int MostBytes = 5;
    private const int BitsPerByte = 6;

    private readonly uint _excluded = avoidsZeroBytes ? 1u : 0;

    /// <summary>Reads one number. False when the bytes end within it.</summary>
    public bool TryRead(ReadOnlySpan<byte> bytes, ref int position, out uint value)
    {
        value = 0;
        for (var i = 0; i < MostBytes && position < bytes.Length; i++)
        {
            var next = bytes[position++];
            value += unchecked((next - _excluded) << (i * BitsPerByte));
            if (next < LowestContinued || i == MostBytes - 1)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads one number that has a sign, in its lowest bit.</summary>
    public bool TryReadSigned(ReadOnlySpan<byte> bytes, ref int position, out int value)
    {
        var isRead = TryRead(bytes, ref position, out var raw);
        value = (int)(raw >> 1) ^ -(int)(raw & 1);
        return isRead;
    }
}
