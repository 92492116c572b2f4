using System.Buffers;

namespace ActorProfiler.Aggregator.Destinations;

/// <summary>Names of tenants as Grafana's servers take them.</summary>
/// <remarks>https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/</remarks>
internal static class Tenants
{
    public const string Header = "X-Scope-OrgID";

    /// <summary>For people.</summary>
    public const string Rule = "up to 150 letters, digits and !-_.*'() are, but not . or ..";

    private const int LengthLimit = 150;

    private static readonly SearchValues<char> _allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!-_.*'()");

    /// <param name="tenant">"" is none, which is valid.</param>
    public static bool IsValid(string tenant) =>
        tenant.Length <= LengthLimit && !tenant.AsSpan().ContainsAnyExcept(_allowed) && tenant is not ("." or "..");

    /// <summary>The name as it may stand in a log.</summary>
    public static string Shown(string tenant) => string.Concat(tenant.Take(LengthLimit).Select(character => _allowed.Contains(character) ? character : '?'));
}
