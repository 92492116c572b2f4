using System.Buffers.Binary;
using ActorProfiler.Collector.Elf;

namespace ActorProfiler.Collector.Interpreters.HotSpot;

/// <summary>A piece of code that HotSpot made.</summary>
/// <param name="Name">"nmethod", "Interpreter", "I2C/C2I adapters", a stub's name, …; "" where the heap holds no code.</param>
/// <param name="FrameBytes">From the stack pointer to the caller's, return address included; 0 when it has no frame of fixed size.</param>
/// <param name="FrameComplete">Bytes from <paramref name="Start"/> after which the frame surely stands; negative when that is not said.</param>
internal readonly record struct HotSpotBlob(string Name, ulong Start, ulong End, int FrameBytes, int FrameComplete);

/// <summary>Lists the code in the code heaps of a running JVM.</summary>
/// <remarks>
/// The JVM goes on meanwhile: a block may be half-written, and the bytes may say anything. Blocks, heaps and sizes are bounded.
/// </remarks>
internal sealed class HotSpotCode(HotSpotLayout layout, IByteSource memory)
{
    private const int MostHeaps = 16;
    private const int MostBlocks = 500_000;
    private const int LargestSegmentShift = 16;
    private const long LargestHeap = 4L << 30;
    private const int LargestFrame = 1 << 20;
    private const int LongestName = 64;
    private const int MostNames = 4096;
    private const int WordBytes = 8;

    private readonly Dictionary<ulong, string> _names = [];
    private int _blocks;

    /// <summary>All code, heap by heap and in order of address within each; a blob named "" stands for a heap's room without code.</summary>
    /// <exception cref="FormatException">The heaps cannot be read, or what they say cannot be.</exception>
    public IEnumerable<HotSpotBlob> Blobs()
    {
        var heaps = memory.Pointer(layout.Heaps);
        var count = heaps == 0 ? 0 : memory.Number(heaps + layout.ArrayLength);
        if (count is < 0 or > MostHeaps)
        {
            throw new FormatException($"a JVM with {count} code heaps");
        }

        var data = count == 0 ? 0 : memory.Pointer(heaps + layout.ArrayData);
        for (var i = 0; i < count; i++)
        {
            foreach (var blob in BlobsOf(memory.Pointer(data + (ulong)i * WordBytes)))
            {
                yield return blob;
            }
        }
    }

    private IEnumerable<HotSpotBlob> BlobsOf(ulong heap)
    {
        var (low, high) = (memory.Pointer(heap + layout.HeapLow), memory.Pointer(heap + layout.HeapHigh));
        var shift = memory.Number(heap + layout.SegmentShift);
        if (low > high || high - low > LargestHeap || high > long.MaxValue || shift is < 0 or > LargestSegmentShift)
        {
            throw new FormatException($"a code heap from 0x{low:x} to 0x{high:x} in segments of 2^{shift} bytes");
        }

        var bytes = new byte[layout.BlockBytes];
        var position = low;
        while (position < high && high - position >= (ulong)bytes.Length)
        {
            memory.Fill(position, bytes);
            var length = layout.BlockLength.In(bytes) << shift;
            if (length <= 0 || (ulong)length > high - position)
            {
                break; // beyond the last block
            }

            if (++_blocks > MostBlocks)
            {
                throw new FormatException($"a JVM with more than {MostBlocks} blocks of code");
            }

            yield return layout.BlockUsed.In(bytes) != 0
                ? BlobOf(bytes.AsSpan(layout.BlockHeaderBytes), position + (ulong)layout.BlockHeaderBytes, position + (ulong)length)
                : new HotSpotBlob("", position, position + (ulong)length, 0, 0);
            position += (ulong)length;
        }

        if (position < high)
        {
            yield return new HotSpotBlob("", position, high, 0, 0);
        }
    }

    private HotSpotBlob BlobOf(ReadOnlySpan<byte> blob, ulong start, ulong end)
    {
        ulong Address(HotSpotLayout.Number number, ReadOnlySpan<byte> bytes) => unchecked((number.IsAddress ? 0 : start) + (ulong)number.In(bytes));

        var (from, to) = (Address(layout.CodeBegin, blob), Address(layout.CodeEnd, blob));
        var frame = layout.FrameSize.In(blob);
        if (from < start || to < from || to > end || frame is < 0 or > LargestFrame / WordBytes)
        {
            return new HotSpotBlob("", start, end, 0, 0); // not yet written
        }

        return new HotSpotBlob(NameAt(BinaryPrimitives.ReadUInt64LittleEndian(blob[(int)layout.BlobName..])), from, to, (int)frame * WordBytes, (int)layout.FrameComplete.In(blob));
    }

    private string NameAt(ulong address)
    {
        if (!_names.TryGetValue(address, out var name))
        {
            name = memory.Name(address, LongestName);
            if (_names.Count < MostNames)
            {
                _names.Add(address, name);
            }
        }

        return name;
    }
}
