using System.Runtime.InteropServices;
using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Tests.Sampling;

public class StackCopyTests
{
    [Fact]
    public void Holds_the_parts_that_the_record_says()
    {
        var copy = StackCopy.Parse(Record(length: 16, kernelFrames: 1, pythonFrames: 2));

        Assert.Equal(16, copy.Stack.Length);
        Assert.Equal([0xfful], copy.Kernel);
        Assert.Equal([10ul, 11ul, 12ul, 13ul], copy.Python);
    }

    [Theory]
    [InlineData(16385, 0, 0)]
    [InlineData(0, 128, 0)]
    [InlineData(0, 0, 65)]
    public void Refuses_parts_that_have_no_room(ulong length, ushort kernelFrames, ushort pythonFrames) =>
        Assert.Throws<FormatException>(() => StackCopy.Parse(Record(length, kernelFrames, pythonFrames)));

    [Fact]
    public void Refuses_a_record_that_is_cut_short() =>
        Assert.Throws<FormatException>(() => StackCopy.Parse(Record(length: 0, kernelFrames: 0, pythonFrames: 0).AsSpan(1)));

    private static byte[] Record(ulong length, ushort kernelFrames, ushort pythonFrames)
    {
        var bytes = new byte[StackCopy.Bytes];
        ref var copy = ref MemoryMarshal.AsRef<StackCopyRecord>(bytes.AsSpan());
        (copy.Length, copy.Record.KernelFrames, copy.Record.PythonFrames) = (length, kernelFrames, pythonFrames);
        copy.Kernel[0] = 0xff;
        for (var i = 0; i < 4; i++)
        {
            copy.Python[i] = 10 + (ulong)i;
        }

        return bytes;
    }
}
