using System.Runtime.CompilerServices;
using ActorProfiler.Collector.Elf;
using ActorProfiler.Collector.Processes;

namespace ActorProfiler.Collector.Interpreters.V8;

/// <summary>Finds V8 in a process, and how its objects are laid out.</summary>
internal static class V8Runtime
{
    /// <summary>Runs bytecode: with the handlers of single bytecodes, the native side of an interpreted function.</summary>
    private const string Builtin = "Builtins_";

    private static readonly ConditionalWeakTable<ElfFile, Found> _files = [];

    private sealed record Found(V8Metadata? Metadata, string Reason);

    /// <summary>The layout; null when the process runs no V8, or one that is not understood.</summary>
    /// <param name="reason">"" when the process runs no V8; else, with null, why its functions cannot be named: a counter's label.</param>
    public static V8Metadata? Find(ProcessImage image, out string reason)
    {
        reason = "";
        var isFirst = true;
        foreach (var mapped in image.Mappings)
        {
            if (mapped.File is not { } file || (!isFirst && !IsLibrary(mapped.Mapping.Path)))
            {
                continue;
            }

            isFirst = false;
            var found = _files.GetValue(file, Read);
            if (found.Metadata is not null || found.Reason.Length > 0)
            {
                reason = found.Reason;
                return found.Metadata;
            }
        }

        return null;
    }

    /// <summary>Whether code is a part of how V8 runs bytecode, and so stands for the function it runs. Its frame is that function's.</summary>
    public static bool IsInterpreter(string symbol) =>
        symbol.StartsWith(Builtin, StringComparison.Ordinal) && symbol.AsSpan(Builtin.Length) is var name
        && (name.StartsWith("Interpreter", StringComparison.Ordinal) || name.StartsWith("Baseline", StringComparison.Ordinal)
            || name.EndsWith("Handler", StringComparison.Ordinal));

    private static bool IsLibrary(string path) =>
        Path.GetFileName(path) is var name && (name.StartsWith("libnode.so", StringComparison.Ordinal) || name.StartsWith("libv8", StringComparison.Ordinal));

    private static Found Read(ElfFile file)
    {
        try
        {
            return V8Constants.Read(file) is not { } constants ? new Found(null, "")
                : V8Metadata.From(constants, out var reason) is { } metadata ? new Found(metadata, "") : new Found(null, reason);
        }
        catch (FormatException)
        {
            return new Found(null, "v8_malformed");
        }
    }
}
