using System.Runtime.InteropServices;

namespace ActorProfiler.Collector.Sampling;

/// <summary>One tick of a process that was not known yet: what is needed to walk its stack later.</summary>
/// <param name="Record">Without hash, user frames and ending.</param>
/// <param name="Time">When: ns, CLOCK_MONOTONIC.</param>
/// <param name="Registers">In DWARF's order.</param>
/// <param name="Start">Address of the first of <paramref name="Stack"/>.</param>
/// <param name="Kernel">Kernel addresses, innermost first.</param>
/// <param name="Python">Two words for each Python frame.</param>
internal sealed record StackCopy(StackRecord Record, ulong Time, ulong Ip, ulong[] Registers, ulong Start, byte[] Stack, ulong[] Kernel, ulong[] Python)
{
    /// <summary>Of a record.</summary>
    public static readonly int Bytes = Marshal.SizeOf<StackCopyRecord>() + StackCopyRecord.CopiedBytes;

    /// <summary>Reads one record of the ring buffer.</summary>
    /// <exception cref="FormatException">It is shorter than it should be, or says so of its parts.</exception>
    public static StackCopy Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Bytes)
        {
            throw new FormatException($"stack copy of {bytes.Length} bytes: expected {Bytes}");
        }

        ref readonly var copy = ref MemoryMarshal.AsRef<StackCopyRecord>(bytes);
        if (copy.Length > StackCopyRecord.CopiedBytes || copy.Record.KernelFrames > KernelAddresses.KernelFrames || copy.Record.PythonFrames > CopiedPythonFrames.Frames)
        {
            throw new FormatException(
                $"stack copy of {copy.Length} bytes, {copy.Record.KernelFrames} kernel and {copy.Record.PythonFrames} Python frames: too many");
        }

        ReadOnlySpan<ulong> registers = copy.Registers;
        var stack = bytes[Marshal.SizeOf<StackCopyRecord>()..];
        ReadOnlySpan<ulong> kernel = copy.Kernel;
        ReadOnlySpan<ulong> python = copy.Python;
        return new StackCopy(
            copy.Record, copy.Time, copy.Ip, [.. registers], copy.Start, [.. stack[..(int)copy.Length]], [.. kernel[..copy.Record.KernelFrames]], [.. python[..(2 * copy.Record.PythonFrames)]]);
    }
}
