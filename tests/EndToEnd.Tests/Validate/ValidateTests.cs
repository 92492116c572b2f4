using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Validate;

public sealed class ValidateTests : IDisposable
{
    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Probes_each_endpoint_and_stores_nothing()
    {
        await using var good = await FakePyroscope.StartAsync();
        await using var strict = await FakePyroscope.StartAsync();
        strict.Intercept = async context =>
        {
            await FakePyroscope.AnswerAsync(context, 401, "unauthenticated", "who?");
            return true;
        };

        var (exitCode, lines) = await ValidateAsync(good.Url, strict.Url);

        Assert.Equal(1, exitCode);
        Assert.Equal([$"{good.Url.ToString().TrimEnd('/')}: takes profiles", $"{strict.Url.ToString().TrimEnd('/')}: 401: the credentials are not accepted"], lines);
        Assert.Empty(good.Pushes);
    }

    [Fact]
    public async Task Says_what_is_between_here_and_an_endpoint()
    {
        var (exitCode, lines) = await ValidateAsync(new Uri("http://127.0.0.1:9"));

        Assert.Equal(1, exitCode);
        Assert.Contains("http://127.0.0.1:9: Connection refused", Assert.Single(lines), StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, IReadOnlyList<string> Lines)> ValidateAsync(params Uri[] endpoints)
    {
        var config = Path.Combine(_data.Path, "probed.alloy");
        await File.WriteAllTextAsync(config, $$"""
            pyroscope.write "all" {
              {{string.Concat(endpoints.Select(url => $"endpoint {{\n url = \"{url}\"\n}}\n"))}}
            }
            """);
        using var validate = ServiceProcess.Start(null, "validate", "--probe", config);
        return (await validate.ExitAsync(), validate.Lines);
    }
}
