using System.Runtime.InteropServices;
using ActorProfiler.Collector.Interpreters.HotSpot;
using ActorProfiler.Collector.Interpreters.V8;
using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Tests.Sampling;

public class StackTableTests
{
    private readonly KnownProcess _process = new(new ProcessIdentity(1, 2, 3), "a");
    private readonly List<CountedStack> _joined = [];
    private readonly StackTable _table;

    public StackTableTests() => _table = new StackTable(_ => _process, (_, _) => [], new V8Names(new(), TimeProvider.System), new JavaNames(new(), TimeProvider.System));

    [Fact]
    public void Joins_counts_with_stacks_by_hash()
    {
        _table.Add(Record(hash: 7, user: [0x10, 0x20], kernel: [0xff]));

        Assert.Equal(0, _table.Join([7], [5], _joined));

        var (stack, ticks) = Assert.Single(_joined);
        Assert.Equal(5, ticks);
        Assert.Equal([0x10ul, 0x20ul], stack.User.ToArray());
        Assert.Equal([0xfful], stack.Kernel.ToArray());
    }

    [Fact]
    public void Counts_ticks_whose_stack_never_came() => Assert.Equal(9, _table.Join([1, 2], [4, 5], _joined));

    [Fact]
    public void Keeps_a_stack_for_the_next_interval_and_forgets_it_after_a_while()
    {
        _table.Add(Record(hash: 7, user: [0x10], kernel: []));
        _table.Join([7], [1], _joined);
        Assert.Equal(0, _table.Join([7], [1], _joined));
        Assert.Same(_joined[0].Stack, _joined[1].Stack);

        for (var i = 0; i < 3; i++)
        {
            _table.Join([], [], _joined);
        }

        Assert.Equal(0, _table.Count);
    }

    [Fact]
    public void Keeps_a_stack_that_comes_again_before_the_interval_without_it_is_joined()
    {
        _table.Add(Record(hash: 7, user: [0x10], kernel: []));
        for (var i = 0; i < 2; i++)
        {
            _table.Join([], [], _joined);
        }

        _table.Add(Record(hash: 7, user: [0x10], kernel: [])); // of the interval that has begun
        _table.Join([], [], _joined); // of the one that ends

        Assert.Equal(0, _table.Join([7], [5], _joined));
    }

    [Fact]
    public void Takes_a_single_as_one_tick()
    {
        _table.Add(Record(hash: 7, user: [0x10], kernel: [], RecordFlags.Single));
        _table.Join([], [], _joined);

        Assert.Equal(1, Assert.Single(_joined).Ticks);
    }

    [Fact]
    public void Refuses_records_that_are_shorter_than_they_say()
    {
        var record = Record(hash: 7, user: [0x10, 0x20], kernel: []);

        Assert.Throws<FormatException>(() => _table.Add(record.AsSpan(0, record.Length - 1)));
        Assert.Throws<FormatException>(() => _table.Add(record.AsSpan(0, 20)));
    }

    private static byte[] Record(ulong hash, ulong[] user, ulong[] kernel, RecordFlags flags = RecordFlags.None)
    {
        var head = new StackRecord
        {
            Hash = hash,
            Weight = 1,
            UserFrames = (ushort)user.Length,
            KernelFrames = (ushort)kernel.Length,
            Flags = flags,
        };
        return [.. MemoryMarshal.AsBytes(new ReadOnlySpan<StackRecord>(in head)), .. MemoryMarshal.AsBytes<ulong>([.. user, .. kernel])];
    }
}
