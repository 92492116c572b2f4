using ActorProfiler.Collector.Processes;
using ActorProfiler.Collector.Sampling;

namespace ActorProfiler.Tests.Sampling;

public class MappingJournalTests
{
    private readonly MappingJournal _journal = new();

    [Fact]
    public void Knows_what_a_program_mapped_after_it_was_gone()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Mapped(7, 110, 0x1000, 0x2000));
        _journal.Add(Mapped(7, 120, 0x8000, 0x9000));
        _journal.Add(Record(ProcessChange.Ended, 7, 200));

        Assert.Equal([0x1000UL, 0x8000UL], _journal.Find(7, 150).Select(mapping => mapping.Start));
        Assert.False(_journal.IsReplaced(7, 150));
    }

    [Fact]
    public void Tells_two_programs_of_one_pid_apart_by_time()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Mapped(7, 110, 0x1000, 0x2000));
        _journal.Add(Record(ProcessChange.Executed, 7, 200));
        _journal.Add(Mapped(7, 210, 0x3000, 0x4000));

        Assert.Equal(0x1000UL, Assert.Single(_journal.Find(7, 150)).Start);
        Assert.True(_journal.IsReplaced(7, 150));
        Assert.Equal(0x3000UL, Assert.Single(_journal.Find(7, 200)).Start);
        Assert.False(_journal.IsReplaced(7, 200));
    }

    [Fact]
    public void Gives_a_child_what_its_parent_had_mapped()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Mapped(7, 110, 0x1000, 0x2000));
        _journal.Add(new ProcessRecord(ProcessChange.Started, 8, 120, Parent: 7, default));
        _journal.Add(Mapped(7, 130, 0x5000, 0x6000));

        Assert.Equal(0x1000UL, Assert.Single(_journal.Find(8, 140)).Start);
    }

    [Fact]
    public void Has_a_later_mapping_take_the_place_of_an_earlier_one()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Mapped(7, 110, 0x1000, 0x9000));
        _journal.Add(Mapped(7, 120, 0x3000, 0x4000, offset: 0x70000));

        Assert.Equal(
            [(0x1000UL, 0x3000UL, 0UL), (0x3000UL, 0x4000UL, 0x70000UL), (0x4000UL, 0x9000UL, 0x3000UL)],
            _journal.Find(7, 130).Select(mapping => (mapping.Start, mapping.End, mapping.FileOffset)));
    }

    [Theory]
    [InlineData(8, 150)] // another process
    [InlineData(7, 50)] // before it was executed
    public void Says_nothing_of_what_it_did_not_see_begin(int pid, ulong time)
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Mapped(8, 110, 0x1000, 0x2000));

        Assert.True(_journal.Find(pid, time).IsDefault);
    }

    [Fact]
    public void Says_that_a_program_began_later()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));

        Assert.True(_journal.BeganAfter(7, 99));
        Assert.False(_journal.BeganAfter(7, 100));
        Assert.False(_journal.BeganAfter(8, 99));
    }

    [Fact]
    public void Leaves_a_jit_to_others()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        for (var i = 0; i <= MappingJournal.MostMappings; i++)
        {
            _journal.Add(Mapped(7, 110, 0x10000UL * (ulong)(i + 1), 0x10000UL * (ulong)(i + 1) + 0x1000));
        }

        Assert.True(_journal.Find(7, 150).IsDefault);
    }

    [Fact]
    public void Trusts_nothing_it_knew_once_records_were_lost()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Mapped(7, 110, 0x1000, 0x2000));
        _journal.Add(Record(ProcessChange.Lost, 0, 120));
        _journal.Add(Mapped(7, 130, 0x3000, 0x4000));

        Assert.True(_journal.Find(7, 150).IsDefault);
    }

    [Fact]
    public void Forgets_programs_some_time_after_their_end()
    {
        _journal.Add(Record(ProcessChange.Executed, 7, 100));
        _journal.Add(Record(ProcessChange.Executed, 7, 200));
        _journal.Add(Record(ProcessChange.Executed, 8, 200));

        _journal.Forget((ulong)TimeSpan.FromMinutes(1).TotalNanoseconds);

        Assert.Equal(2, _journal.Count);
        Assert.True(_journal.Find(7, 150).IsDefault);
        Assert.False(_journal.Find(7, 250).IsDefault);
    }

    private static ProcessRecord Record(ProcessChange change, int pid, ulong time) => new(change, pid, time, Parent: 0, default);

    private static ProcessRecord Mapped(int pid, ulong time, ulong start, ulong end, ulong offset = 0) =>
        new(ProcessChange.Mapped, pid, time, Parent: 0, new MemoryMapping(start, end, offset, IsExecutable: true, Device: 1, Inode: 2, "/lib/x.so"));
}
