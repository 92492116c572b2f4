namespace ActorProfiler.Aggregator.LocalStore;

/// <summary>What sort of code a frame is, for its colour: one of the constants.</summary>
internal static class FrameKind
{
    public const string Kernel = "kernel";
    public const string Native = "native";
    public const string Library = "library";
    public const string Go = "go";
    public const string Python = "python";
    public const string Jit = "jit";
    public const string Unknown = "unknown";

    /// <summary>A node that stands for others: the root, or "(other)".</summary>
    public const string Sum = "sum";

    /// <param name="name">Of the function, or <c>module+0xoffset</c>.</param>
    /// <param name="module">Path of the mapped file, <c>[kernel.kallsyms]</c>, <c>[jit]</c>…, or "" for interpreted code.</param>
    /// <param name="file">Source file, or "".</param>
    public static string Of(string name, string module, string file)
    {
        if (module.StartsWith("[kernel", StringComparison.Ordinal) || module.EndsWith(".ko", StringComparison.Ordinal))
        {
            return Kernel;
        }

        if (name.Length == 0 || name.Contains("+0x", StringComparison.Ordinal) || name.StartsWith("0x", StringComparison.Ordinal))
        {
            return Unknown;
        }

        return OfSource(file) ?? OfModule(module);
    }

    private static string? OfSource(string file) => Path.GetExtension(file) switch
    {
        ".go" => Go,
        ".py" or ".pyx" => Python,
        ".js" or ".mjs" or ".ts" or ".java" or ".cs" or ".kt" or ".rb" or ".php" => Jit,
        _ => file.StartsWith("<frozen ", StringComparison.Ordinal) ? Python : null,
    };

    private static string OfModule(string module)
    {
        if (module.Length == 0 || module is "[jit]" || module.StartsWith("[anon", StringComparison.Ordinal) || module.Contains("perf-", StringComparison.Ordinal))
        {
            return Jit;
        }

        return module is "[vdso]" || module.EndsWith(".so", StringComparison.Ordinal) || module.Contains(".so.", StringComparison.Ordinal)
            ? Library
            : Native;
    }
}
