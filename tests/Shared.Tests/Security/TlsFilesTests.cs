using ActorProfiler.Security;

namespace ActorProfiler.Tests.Security;

public sealed class TlsFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("actorprofiler-");
    private readonly List<string> _problems = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_certificate_is_of_the_fleet_only_by_its_authority_and_for_its_use()
    {
        using var ours = Authority();
        using var theirs = Authority();
        var aggregator = Write(ours, ["aggregator.example"]);
        var certificate = aggregator.Certificate;
        var collector = Write(ours, []).Certificate;
        var stranger = Write(theirs, ["aggregator.example"], authorityToo: false).Certificate;

        Assert.True(aggregator.IsOfFleet(certificate, KeyUses.Server));
        Assert.True(aggregator.IsOfFleet(collector, KeyUses.Client));
        Assert.False(aggregator.IsOfFleet(collector, KeyUses.Server));
        Assert.False(aggregator.IsOfFleet(stranger, KeyUses.Client));
        Assert.False(aggregator.IsOfFleet(null, KeyUses.Client));
        Assert.True(certificate.MatchesHostname("aggregator.example"));
    }

    [Fact]
    public void Files_that_change_are_taken_up_and_broken_ones_are_not()
    {
        using var authority = Authority();
        var files = Write(authority, ["a.example"]);
        var first = files.Certificate.Thumbprint;

        Write(authority, ["b.example"]);
        Touch("node.crt", 1);
        var second = files.Certificate;
        File.WriteAllText(PathOf("node.crt"), "broken");
        Touch("node.crt", 2);

        Assert.NotEqual(first, second.Thumbprint);
        Assert.True(second.MatchesHostname("b.example"));
        Assert.Equal(second.Thumbprint, files.Certificate.Thumbprint);
        Assert.Contains("node.crt", Assert.Single(_problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var missing = Assert.Throws<FormatException>(() => new TlsFiles(PathOf("ca.crt"), PathOf("node.crt"), PathOf("node.key"), _problems.Add));

        Assert.Contains("ca.crt", missing.Message, StringComparison.Ordinal);
    }

    private static FleetAuthority Authority() => new(TimeProvider.System, TimeSpan.FromDays(1));

    private TlsFiles Write(FleetAuthority authority, string[] hosts, bool authorityToo = true)
    {
        var (certificate, key) = authority.Issue("node", hosts);
        File.WriteAllText(PathOf("node.crt"), certificate);
        File.WriteAllText(PathOf("node.key"), key);
        if (authorityToo)
        {
            File.WriteAllText(PathOf("ca.crt"), authority.CertificatePem);
        }

        return new TlsFiles(PathOf("ca.crt"), PathOf("node.crt"), PathOf("node.key"), _problems.Add);
    }

    // The clock of the file system may be too coarse to tell two writes apart.
    private void Touch(string name, int seconds) => File.SetLastWriteTimeUtc(PathOf(name), new DateTime(2030, 1, 1, 0, 0, seconds, DateTimeKind.Utc));

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
