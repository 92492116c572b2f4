using System.Diagnostics;
using System.Net;
using ActorProfiler.Tests.Page;
using Microsoft.Playwright;

namespace ActorProfiler.Tests.Run;

/// <summary>The main job with the embedded default, seen as a user sees it: <c>actorprofiler run</c>, then the page in a browser.</summary>
public sealed class RunPageTests : IDisposable
{
    /// <summary>From the start of the program to the names of a busy program on the page.</summary>
    private const float SecondsToFirstProfile = 60;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("run-");

    [Fact]
    public async Task Shows_the_functions_of_a_busy_program_within_a_minute()
    {
        Requirements.Bpf();
        using var busy = TestPrograms.Start(TestPrograms.CompileC("split", "-O2"), "180");
        var listen = $"127.0.0.1:{Network.FreePort()}";
        using var run = Process.Start(new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "actorprofiler"), ["run", "--http.listen", listen, "--data-dir", _folder.FullName])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            Assert.Contains($"http://{listen}/", await run.StandardOutput.ReadLineAsync(), StringComparison.Ordinal);
            await using var browser = await Browser.Open();
            var page = browser.Page;
            await page.GotoAsync($"http://{listen}/");

            await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "split" }).First
                .ClickAsync(new LocatorClickOptions { Timeout = SecondsToFirstProfile * 1000 });
            await Assertions.Expect(page.Locator("#subject")).ToHaveTextAsync("split");
            foreach (var function in (string[])["sort_rows", "hash_rows", "write_rows", "run_query", "main"])
            {
                await Assertions.Expect(page.Locator("#top-rows")).ToContainTextAsync(function);
            }

            await page.Keyboard.PressAsync("/");
            await page.Keyboard.TypeAsync("sort_rows");
            await Assertions.Expect(page.Locator("#search-result")).ToContainTextAsync("%");
            Assert.Empty(browser.Problems);
        }
        finally
        {
            run.Kill();
            await run.WaitForExitAsync();
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
