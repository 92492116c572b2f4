using System.Globalization;

namespace ActorProfiler.Tests.Run;

/// <summary>What <c>/metrics</c> of a process says.</summary>
internal sealed class MetricsPage(string text)
{
    private static readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };

    public string Text => text;

    public static async Task<MetricsPage> ReadAsync(string address) => new(await _http.GetStringAsync($"http://{address}/metrics"));

    /// <summary>Null when nothing answers.</summary>
    public static async Task<MetricsPage?> TryReadAsync(string address)
    {
        try
        {
            return await ReadAsync(address);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Σ of a metric over its labels.</summary>
    public long Sum(string name) => (long)text.Split('\n')
        .Where(line => line.StartsWith(name + " ", StringComparison.Ordinal) || line.StartsWith(name + "{", StringComparison.Ordinal))
        .Sum(line => double.Parse(line.AsSpan(line.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture));
}
