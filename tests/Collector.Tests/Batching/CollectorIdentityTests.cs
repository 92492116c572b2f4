using ActorProfiler.Collector.Batching;

namespace ActorProfiler.Tests.Batching;

public sealed class CollectorIdentityTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    [Fact]
    public void Keeps_its_id_and_grows_its_epoch()
    {
        var first = CollectorIdentity.Open(_folder.FullName, TimeProvider.System);
        var second = CollectorIdentity.Open(_folder.FullName, TimeProvider.System);

        Assert.Equal(first.Id.ToArray(), second.Id.ToArray());
        Assert.True(second.Epoch > first.Epoch);
    }

    [Fact]
    public void Says_what_to_do_about_a_damaged_file()
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "collector-id"), "nonsense");

        var failure = Assert.Throws<FormatException>(() => CollectorIdentity.Open(_folder.FullName, TimeProvider.System));
        Assert.Contains("delete the file", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
