using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ActorProfiler.Aggregator.LocalStore;
using ActorProfiler.Pprof;

namespace ActorProfiler.Aggregator.Page;

/// <summary>A flame graph as one HTML file that needs nothing else: to keep, to mail, to open anywhere.</summary>
/// <remarks>Its own policy forbids every request and every script but the two it carries, named by their hash.</remarks>
internal static class FlameGraphDocument
{
    /// <param name="target">Stays open.</param>
    /// <param name="title">Shown as text, as are all names.</param>
    /// <param name="facts">Lines for the table at the end: command line, host, totals, the loss ledger.</param>
    /// <exception cref="FormatException">The profile contradicts itself.</exception>
    public static void Write(Stream target, Profile profile, string title, IReadOnlyList<(string Key, string Value)> facts)
    {
        var builder = new FlameGraphBuilder();
        builder.Add(profile);
        var covered = new TimeRange(profile.TimeNanos, profile.TimeNanos + profile.DurationNanos);
        var data = new DocumentData(title, builder.Build(profiles: 1, series: 1, unreadable: 0, covered),
            [.. facts.Select(fact => new DocumentFact(fact.Key, fact.Value))]);
        var json = JsonSerializer.Serialize(data, PageJson.Default.DocumentData);
        using var writer = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
        writer.Write(Html(title, json));
    }

    private static string Html(string title, string json)
    {
        var (style, graph, page) = (PageAssets.Text("page.css"), PageAssets.Text("graph.js"), PageAssets.Text("page.js"));
        var policy = $"default-src 'none'; script-src {Hash(graph)} {Hash(page)}; style-src {Hash(style)}; img-src data:; base-uri 'none'; form-action 'none'";
        return Inlined(PageAssets.Text("index.html"), new Dictionary<string, string>
        {
            ["<title>ActorProfiler</title>"] = $"<title>{WebUtility.HtmlEncode(title)}</title>\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">",
            ["<link rel=\"icon\" href=\"icon.svg\">"] = $"<link rel=\"icon\" href=\"data:image/svg+xml;base64,{Convert.ToBase64String(PageAssets.Content("icon.svg").Span)}\">",
            ["<link rel=\"stylesheet\" href=\"page.css\">"] = $"<style>{style}</style>",
            ["<script src=\"graph.js\" defer></script>"] = "",
            ["<script src=\"page.js\" defer></script>"] = "",
            ["</body>"] = $"<script type=\"application/json\" id=\"document-data\">{json}</script>\n<script>{graph}</script>\n<script>{page}</script>\n</body>",
        });
    }

    /// <summary>Replaces each key, which must be there exactly once.</summary>
    private static string Inlined(string html, Dictionary<string, string> parts)
    {
        foreach (var (place, content) in parts)
        {
            var at = html.IndexOf(place, StringComparison.Ordinal);
            if (at < 0)
            {
                throw new InvalidOperationException($"index.html has no {place}");
            }

            html = string.Concat(html.AsSpan(0, at), content, html.AsSpan(at + place.Length));
        }

        return html;
    }

    private static string Hash(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";
}
