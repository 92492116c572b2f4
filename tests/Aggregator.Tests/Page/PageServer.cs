using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Page;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ActorProfiler.Tests.Page;

/// <summary>The page on a free loopback port, over a store that the test fills.</summary>
internal sealed class PageServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PageServer(WebApplication app, ProfileStore store)
    {
        _app = app;
        Store = store;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public ProfileStore Store { get; }

    public Uri Address { get; }

    public static async Task<PageServer> Start()
    {
        var store = new ProfileStore(ProfileStoreOptions.Default, TimeProvider.System);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.UsePageSecurity(new HostAllowList(["127.0.0.1:0"]));
        app.MapPage(store);
        await app.StartAsync();
        return new PageServer(app, store);
    }

    /// <summary>Adds a window that ended just now.</summary>
    public void Add(string service, params string[] lines) =>
        Store.Add(LocalStore.FoldedProfile.Encoded(service, TimeProvider.System.GetUtcNow().AddSeconds(-15), lines));

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
