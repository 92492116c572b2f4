using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Aggregator.Page;
using ActorProfiler.Tests.LocalStore;
using Microsoft.Playwright;

namespace ActorProfiler.Tests.Page;

public sealed class PageTests : IAsyncLifetime
{
    private const string Hostile = "<img src=x onerror=alert(1)>";

    private Browser _browser = null!;
    private PageServer _server = null!;

    private IPage Page => _browser.Page;

    public async ValueTask InitializeAsync()
    {
        _browser = await Browser.Open();
        _server = await PageServer.Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
            await _server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Waits_for_the_first_profile_and_shows_it_by_itself()
    {
        await Page.Clock.InstallAsync();
        await Page.GotoAsync(_server.Address.ToString());
        await Assertions.Expect(Page.Locator("#message")).ToContainTextAsync("Waiting for the first profile");

        _server.Add("cart", "main;work 3");
        await Page.Clock.FastForwardAsync(11_000);

        await Assertions.Expect(Page.Locator("#subject")).ToHaveTextAsync("cart");
        await Assertions.Expect(Page.Locator("#summary")).ToContainTextAsync("30 ms");
        Assert.Empty(_browser.Problems);
    }

    [Fact]
    public async Task Clicking_a_frame_zooms_and_Escape_resets()
    {
        await Show("cart", "main;left;a 30", "main;right;b 70");

        await Page.Locator("#canvas").ClickAsync(new LocatorClickOptions { Position = new Position { X = 900, Y = 2 * 21 + 10 } });
        await Assertions.Expect(Page.Locator("#crumbs")).ToHaveTextAsync("All›main›right");
        await Page.Locator("#canvas").HoverAsync(new LocatorHoverOptions { Position = new Position { X = 20, Y = 3 * 21 + 10 } });
        await Assertions.Expect(Page.Locator("#tooltip")).ToContainTextAsync("bTotal700 ms70.0 %");

        await Page.Keyboard.PressAsync("Escape");
        await Assertions.Expect(Page.Locator("#crumbs")).ToHaveTextAsync("All");
    }

    [Fact]
    public async Task Searching_shows_the_share_of_what_it_finds()
    {
        await Show("cart", "main;json;json 25", "main;sql 75");

        await Page.Keyboard.PressAsync("/");
        await Page.Keyboard.TypeAsync("JSON");

        await Assertions.Expect(Page.Locator("#search-result")).ToContainTextAsync("25.0 % · 250 ms");
        await Assertions.Expect(Page.Locator("#top-rows tr")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Arrow_keys_move_over_the_graph_and_say_where_they_are()
    {
        await Show("cart", "main;left 30", "main;right 70");

        await Page.Locator("#canvas").FocusAsync();
        await Page.Keyboard.PressAsync("ArrowDown");
        await Page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(Page.Locator("#status")).ToContainTextAsync("right: total 700 ms (70.0 %)");
        await Page.Keyboard.PressAsync("ArrowLeft");
        await Assertions.Expect(Page.Locator("#status")).ToContainTextAsync("left: total 300 ms (30.0 %)");
        await Page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(Page.Locator("#crumbs")).ToHaveTextAsync("All›main›left");
    }

    [Fact]
    public async Task Choosing_a_function_in_the_table_marks_it_and_sorting_reorders()
    {
        await Show("cart", "main;left 30", "main;right 70");

        await Page.GetByRole(AriaRole.Button, new() { Name = "Total" }).ClickAsync();
        await Assertions.Expect(Page.Locator("#top-rows tr").First).ToContainTextAsync("main");
        await Page.Locator("#top-rows tr", new() { HasText = "left" }).GetByRole(AriaRole.Button).ClickAsync();

        await Assertions.Expect(Page.Locator("#search-result")).ToContainTextAsync("left: 30.0 %");
        await Assertions.Expect(Page.Locator("#top-rows tr")).ToHaveCountAsync(3);
    }

    [Fact]
    public async Task Downloads_the_profile_that_is_shown()
    {
        await Show("cart", "main;left 30");

        var download = await Page.RunAndWaitForDownloadAsync(() => Page.Locator("#download").ClickAsync());

        Assert.Matches("^cart-[0-9]{8}T[0-9]{6}Z-900s[.]pb[.]gz$", download.SuggestedFilename);
        Assert.Equal(30, PprofPayload.Open(await File.ReadAllBytesAsync(await download.PathAsync())).Sample.Single().Value[0]);
    }

    [Fact]
    public async Task Shows_hostile_names_as_text_and_asks_nobody_else()
    {
        _server.Add($"{Hostile} service", "other 1");
        await Show(Hostile, $"/x/{Hostile}!{Hostile}@{Hostile};<script>alert(2)</script> 5");

        await Page.Locator("#services button", new() { HasText = "service" }).Last.HoverAsync();
        await Page.Locator("#canvas").HoverAsync(new LocatorHoverOptions { Position = new Position { X = 100, Y = 30 } });
        await Assertions.Expect(Page.Locator("#tooltip b")).ToHaveTextAsync(Hostile);
        await Page.Locator("#canvas").ClickAsync(new LocatorClickOptions { Position = new Position { X = 100, Y = 52 } });
        await Assertions.Expect(Page.Locator("#crumbs")).ToContainTextAsync("<script>alert(2)</script>");
        await Assertions.Expect(Page.Locator("#top-rows")).ToContainTextAsync(Hostile);

        Assert.Equal(0, await Page.Locator("img, main script").CountAsync());
        Assert.Empty(_browser.Problems);
        Assert.All(_browser.Requests, request => Assert.StartsWith(_server.Address.ToString(), request));
    }

    [Fact]
    public async Task Draws_a_hundred_thousand_nodes_within_a_tenth_of_a_second()
    {
        await Show("large", [.. Enumerable.Range(0, 90_000).Select(i => $"main;a{i % 50};b{i % 500};c{i % 9000};d{i} {i % 9 + 1}")]);

        var milliseconds = await Page.EvaluateAsync<double>("() => { const began = performance.now(); for (let i = 0; i < 10; i++) view.draw(); return (performance.now() - began) / 10; }");

        Assert.InRange(await Page.EvaluateAsync<int>("view.tree.count"), 99_000, 100_000);
        Assert.InRange(milliseconds, 0, 100);
    }

    [Fact]
    public async Task The_single_file_opens_without_a_server_and_shows_its_facts()
    {
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.html");
        await using (var target = File.Create(file))
        {
            FlameGraphDocument.Write(target, FoldedProfile.Of("main;left 30", $"main;{Hostile} 70"), "Ten seconds", [("Command", "record -d 10s"), ("Dropped", Hostile)]);
        }

        try
        {
            await Page.GotoAsync($"file://{file}");
            await Assertions.Expect(Page.Locator("#subject")).ToHaveTextAsync("Ten seconds");
            await Assertions.Expect(Page.Locator("#top-rows tr")).ToHaveCountAsync(3);
            await Assertions.Expect(Page.Locator("#facts")).ToContainTextAsync(Hostile);
            await Assertions.Expect(Page.Locator("#controls")).ToBeHiddenAsync();
            Assert.Empty(_browser.Problems);
            Assert.Equal([$"file://{file}"], _browser.Requests.Where(request => !request.StartsWith("data:", StringComparison.Ordinal)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private async Task Show(string service, params string[] lines)
    {
        _server.Add(service, lines);
        await Page.GotoAsync($"{_server.Address}#minutes=15&service={Uri.EscapeDataString(service)}");
        await Assertions.Expect(Page.Locator("#top-rows tr").First).ToBeVisibleAsync();
    }
}
