using ActorProfiler.Collector.Sampling;
using CsCheck;

namespace ActorProfiler.Tests.Sampling;

public class WordAllocatorTests
{
    private const uint Size = 4096;

    [Fact]
    public void Gives_out_ranges_that_never_overlap_and_takes_all_back()
    {
        Gen.Select(Gen.UInt[1, 600], Gen.Bool).Array[1, 200].Sample(steps =>
        {
            var allocator = new WordAllocator(Size);
            var held = new List<(uint Start, uint Length)>();
            foreach (var (length, gives) in steps)
            {
                if (gives && allocator.Take(length) is { } start)
                {
                    Assert.Equal(0u, start % WordAllocator.Alignment);
                    Assert.True(start + length <= Size);
                    Assert.DoesNotContain(held, other => start < other.Start + other.Length && other.Start < start + length);
                    held.Add((start, length));
                }
                else if (!gives && held.Count > 0)
                {
                    allocator.Return(held[0].Start, held[0].Length);
                    held.RemoveAt(0);
                }
            }

            held.ForEach(range => allocator.Return(range.Start, range.Length));
            Assert.Equal(Size, allocator.FreeWords);
            Assert.Equal(0u, allocator.Take(Size));
        });
    }

    [Fact]
    public void Has_nothing_for_more_than_is_free()
    {
        var allocator = new WordAllocator(Size);
        allocator.Take(Size - 8);

        Assert.Null(allocator.Take(9));
        Assert.NotNull(allocator.Take(8));
    }
}
