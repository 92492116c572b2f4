using ActorProfiler.Aggregator.Page;

namespace ActorProfiler.Tests.Page;

public sealed class HostAllowListTests
{
    [Theory]
    [InlineData("localhost:4041", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("127.0.0.1:9", true)]
    [InlineData("[::1]:4041", true)]
    [InlineData("profiler.example:4041", true)]
    [InlineData("evil.example:4041", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("10.0.0.5:4041", false)]
    [InlineData("[::1", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Allows_loopback_and_the_listen_address(string? host, bool allowed) =>
        Assert.Equal(allowed, new HostAllowList(["profiler.example:4041"]).Allows(host));

    [Theory]
    [InlineData("0.0.0.0:4041")]
    [InlineData("[::]:4041")]
    public void Listening_on_all_addresses_allows_any_address_but_no_foreign_name(string listen)
    {
        var hosts = new HostAllowList([listen]);

        Assert.True(hosts.Allows("10.0.0.5:4041"));
        Assert.True(hosts.Allows("[2001:db8::1]:4041"));
        Assert.False(hosts.Allows("evil.example:4041"));
    }
}
