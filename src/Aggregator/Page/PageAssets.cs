using System.Collections.Frozen;
using System.Text;

namespace ActorProfiler.Aggregator.Page;

/// <summary>The page's files, which are part of the program: it needs neither a network nor files beside it.</summary>
internal static class PageAssets
{
    private static readonly FrozenDictionary<string, string> _types = new Dictionary<string, string>
    {
        ["index.html"] = "text/html; charset=utf-8",
        ["page.css"] = "text/css; charset=utf-8",
        ["graph.js"] = "text/javascript; charset=utf-8",
        ["page.js"] = "text/javascript; charset=utf-8",
        ["icon.svg"] = "image/svg+xml",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, byte[]> _contents = _types.Keys.ToFrozenDictionary(name => name, Read);

    /// <summary>Names of the files.</summary>
    public static IEnumerable<string> Names => _types.Keys;

    public static string ContentType(string name) => _types[name];

    public static ReadOnlyMemory<byte> Content(string name) => _contents[name];

    public static string Text(string name) => Encoding.UTF8.GetString(_contents[name]);

    private static byte[] Read(string name)
    {
        using var resource = typeof(PageAssets).Assembly.GetManifestResourceStream($"Page/{name}")
            ?? throw new InvalidOperationException($"the resource Page/{name} is not in the assembly");
        var content = new byte[resource.Length];
        resource.ReadExactly(content);
        return content;
    }
}
