using ActorProfiler.Tests.Run;

namespace ActorProfiler.Tests.Format;

public sealed class FormatTests : IDisposable
{
    private const string Untidy = "discovery.process \"a\" {\nrefresh_interval=\"10s\" // often\n}\n";
    private const string Tidy = "discovery.process \"a\" {\n\trefresh_interval = \"10s\" // often\n}\n";

    private readonly TemporaryFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Prints_tests_or_rewrites_a_file()
    {
        var file = Path.Combine(_data.Path, "x.alloy");
        await File.WriteAllTextAsync(file, Untidy);

        Assert.Equal((0, Tidy), await FormatAsync(file));
        Assert.NotEqual(0, (await FormatAsync("-t", file)).ExitCode);
        Assert.Equal(Untidy, await File.ReadAllTextAsync(file));
        Assert.Equal(0, (await FormatAsync("-w", file)).ExitCode);
        Assert.Equal(Tidy, await File.ReadAllTextAsync(file));
        Assert.Equal(0, (await FormatAsync("-t", file)).ExitCode);
    }

    [Fact]
    public async Task Leaves_a_file_with_errors_alone()
    {
        var file = Path.Combine(_data.Path, "x.alloy");
        await File.WriteAllTextAsync(file, "a = {");

        var (exitCode, text) = await FormatAsync("-w", file);

        Assert.Equal(2, exitCode);
        Assert.Contains($"{file}:1:", text, StringComparison.Ordinal);
        Assert.Equal("a = {", await File.ReadAllTextAsync(file));
    }

    private static async Task<(int ExitCode, string Text)> FormatAsync(params string[] arguments)
    {
        using var format = ServiceProcess.Start(null, ["fmt", .. arguments]);
        var exitCode = await format.ExitAsync();
        return (exitCode, string.Concat(format.Lines.Select(line => line + "\n")));
    }
}
