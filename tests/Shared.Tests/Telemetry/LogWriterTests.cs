using ActorProfiler.Telemetry;

namespace ActorProfiler.Tests.Telemetry;

public sealed class LogWriterTests : IDisposable
{
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public void Keeps_a_record_on_one_line_whatever_is_in_it()
    {
        new LogWriter(_output, LogFormat.Logfmt, TimeProvider.System).Write(LogLevel.Warning, "main", "a\nb\u001b[31m \"c\"");

        Assert.EndsWith("level=warn component=main msg=\"a\\nb\\x1b[31m \\\"c\\\"\"\n", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Writes_json_that_parses()
    {
        new LogWriter(_output, LogFormat.Json, TimeProvider.System).Write(LogLevel.Error, "main", "a \"quoted\" word");

        using var record = System.Text.Json.JsonDocument.Parse(_output.ToString());
        Assert.Equal("a \"quoted\" word", record.RootElement.GetProperty("msg").GetString());
        Assert.Equal("error", record.RootElement.GetProperty("level").GetString());
    }
}
