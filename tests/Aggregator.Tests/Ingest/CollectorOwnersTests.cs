using ActorProfiler.Aggregator.Ingest;
using Google.Protobuf;

namespace ActorProfiler.Tests.Ingest;

public sealed class CollectorOwnersTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "owners");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Knows_after_a_restart_whose_an_identity_is()
    {
        new CollectorOwners(File).Add([(Id(1), "CN=host 1, O=ä\nb"), (Id(2), "CN=host-2")]);

        Assert.Equal("CN=host 1, O=ä\nb", new CollectorOwners(File).Read()[Id(1)]);
        Assert.Equal("CN=host-2", new CollectorOwners(File).Read()[Id(2)]);
    }

    [Fact]
    public void Keeps_the_latest_and_removes_the_others_from_the_file()
    {
        var owners = new CollectorOwners(File, limit: 2);
        owners.Add([(Id(1), "a"), (Id(2), "b"), (Id(3), "c"), (Id(2), "d")]);

        Assert.Equal([(Id(3), "c"), (Id(2), "d")], owners.Read().Select(pair => (pair.Key, pair.Value)));
        Assert.Equal(2, System.IO.File.ReadAllLines(File).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(42)]
    public void Leaves_out_a_line_that_is_damaged(int at)
    {
        var owners = new CollectorOwners(File);
        owners.Add([(Id(1), "CN=host-1"), (Id(2), "CN=host-2")]);
        var bytes = System.IO.File.ReadAllBytes(File);
        bytes[at] ^= 1;
        System.IO.File.WriteAllBytes(File, bytes);

        Assert.Equal([Id(2)], owners.Read().Keys);
    }

    [Fact]
    public void Goes_on_behind_a_line_that_was_cut_off()
    {
        var owners = new CollectorOwners(File);
        owners.Add([(Id(1), "CN=host-1"), (Id(2), "CN=host-2")]);
        System.IO.File.WriteAllBytes(File, System.IO.File.ReadAllBytes(File)[..^5]);
        Assert.Equal([Id(1)], owners.Read().Keys);

        owners.Add([(Id(3), "CN=host-3")]);

        Assert.Equal([Id(1), Id(3)], owners.Read().Keys);
    }

    private static ByteString Id(byte number) => ByteString.CopyFrom([.. Enumerable.Repeat(number, 16)]);
}
