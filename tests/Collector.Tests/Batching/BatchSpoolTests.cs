using ActorProfiler.Collector.Batching;
using ActorProfiler.Protocol;
using CsCheck;
using Google.Protobuf;

namespace ActorProfiler.Tests.Batching;

public sealed class BatchSpoolTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void What_is_not_settled_is_there_after_a_restart()
    {
        var spool = Open(out _);
        spool.Write([Submit(1), Submit(2), Submit(3)]);
        spool.Write([Submit(4)]);
        spool.Settle([new BatchKey(1, 2), new BatchKey(1, 4)]);

        var again = Open(out var kept);

        Assert.Equal([1ul, 3ul], kept.Select(batch => batch.Batch.Sequence));
        Assert.Equal(Submit(3), again.Read(new BatchKey(1, 3)));
        Assert.Null(again.Read(new BatchKey(1, 2)));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public void The_oldest_segment_goes_when_the_bound_is_reached()
    {
        var spool = Open(out _, mostBytes: 500);

        var gone = Enumerable.Range(1, 10).SelectMany(i => spool.Write([Submit((ulong)i)])).ToList();

        Assert.InRange(spool.Bytes, 1, 500);
        Assert.Equal(Enumerable.Range(1, gone.Count).Select(i => new BatchKey(1, (ulong)i)), gone);
        Assert.Equal(_folder.GetFiles().Sum(file => file.Length), spool.Bytes);
    }

    [Fact]
    public void A_settled_spool_leaves_no_files()
    {
        var spool = Open(out _);
        spool.Write([Submit(1), Submit(2)]);

        spool.Settle([new BatchKey(1, 1)]);
        spool.Settle([new BatchKey(1, 2), new BatchKey(1, 9)]);

        Assert.Empty(_folder.GetFiles());
        Assert.Equal(0, spool.Bytes);
    }

    /// <summary>Whatever becomes of the bytes, what comes back was written and no record before the damage is lost.</summary>
    [Fact]
    public void Damage_costs_only_what_follows_it() => Gen.Select(Gen.Int[0, 700], Gen.Byte, Gen.Bool).Sample((at, value, cut) =>
    {
        _folder.GetFiles().ToList().ForEach(file => file.Delete());
        Open(out _).Write([Submit(1), Submit(2), Submit(3)]);
        var file = _folder.GetFiles().Single();
        var bytes = File.ReadAllBytes(file.FullName);
        at %= bytes.Length;
        var damaged = cut ? bytes[..at] : [.. bytes[..at], (byte)(bytes[at] ^ (value | 1)), .. bytes[(at + 1)..]];
        File.WriteAllBytes(file.FullName, damaged);

        Open(out var kept);

        var before = at / (bytes.Length / 3);
        Assert.Equal(Enumerable.Range(1, kept.Count).Select(i => Submit((ulong)i)), kept.Select(batch => batch.Batch));
        Assert.InRange(kept.Count, before, 3);
    }, iter: 500, threads: 1);

    [Fact]
    public void A_batch_whose_kind_is_damaged_is_not_taken_for_what_settles_others()
    {
        Open(out _).Write([Submit(1), Submit(2)]);
        var file = _folder.GetFiles().Single();
        var bytes = File.ReadAllBytes(file.FullName);
        bytes[bytes.Length / 2] ^= 3; // a batch's kind becomes the other
        File.WriteAllBytes(file.FullName, bytes);

        var spool = Open(out var kept);

        Assert.Equal([Submit(1)], kept.Select(batch => batch.Batch));
        Assert.Equal(1, spool.Damaged);
    }

    private BatchSpool Open(out IReadOnlyList<(Submit Batch, DateTimeOffset Written)> kept, long mostBytes = 1 << 20) =>
        BatchSpool.Open(_folder.FullName, mostBytes, out kept);

    private static Submit Submit(ulong sequence) => new() { Epoch = 1, Sequence = sequence, Ticks = sequence, Payload = ByteString.CopyFrom(new byte[100]) };
}
