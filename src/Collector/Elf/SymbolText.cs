using System.Buffers;
using System.Text;

namespace ActorProfiler.Collector.Elf;

/// <summary>Makes names out of foreign bytes: always valid text without control characters.</summary>
/// <remarks>Names end up in protobuf strings, which must be UTF-8, and on pages and terminals.</remarks>
internal static class SymbolText
{
    private static readonly SearchValues<char> _control =
        SearchValues.Create([.. Enumerable.Range(0, 32).Append(127).Concat(Enumerable.Range(128, 32)).Select(code => (char)code)]);

    /// <summary>Bytes that are not UTF-8, and control characters, become U+FFFD.</summary>
    public static string From(ReadOnlySpan<byte> bytes) => Clean(Encoding.UTF8.GetString(bytes));

    public static string Clean(string text) =>
        text.AsSpan().IndexOfAny(_control) < 0
            ? text
            : string.Create(text.Length, text, static (result, from) =>
            {
                for (var i = 0; i < result.Length; i++)
                {
                    result[i] = char.IsControl(from[i]) ? '\ufffd' : from[i];
                }
            });
}
