using ActorProfiler.Collector.Symbols.Demangling;

namespace ActorProfiler.Oracles;

/// <summary>Compares all mangled symbols of files, in mode full, with c++filt, which knows Rust's names too. The exit code is 1 when one differs.</summary>
/// <remarks><c>alike</c> are names that differ in blanks only. -i leaves out what only a debugger
/// wants (the hashes of Rust's crates, the types behind std::string). c++filt's <c>[clone .cold]</c> is left out, as mode full does.</remarks>
internal static class FilterOracle
{
    public static int Run(IEnumerable<string> paths)
    {
        var differing = 0;
        foreach (var path in paths)
        {
            var symbols = Tool.Functions(path).Select(function => function.Name)
                .Where(name => name.StartsWith("_Z", StringComparison.Ordinal) || name.StartsWith("_R", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).ToList();
            var theirs = Tool.Run("c++filt", ["-i"], symbols);
            var (alike, kept, different) = (0, 0, 0);
            for (var i = 0; i < symbols.Count; i++)
            {
                var ours = Demangler.Demangle(symbols[i], DemangleMode.Full);
                var their = WithoutClone(theirs[i]);
                if (ours == their)
                {
                    continue;
                }

                alike += Blankless(ours) == Blankless(their) ? 1 : 0;
                kept += ours == symbols[i] ? 1 : 0;
                if (Blankless(ours) == Blankless(their))
                {
                    continue;
                }

                different += ours == symbols[i] ? 0 : 1;
                if (different + kept <= 10)
                {
                    Console.WriteLine($"    {symbols[i]}: {ours} and not {their}");
                }
            }

            Console.WriteLine($"{path}: {symbols.Count} symbols: {symbols.Count - alike - kept - different} equal, {alike} alike, {kept} left as they are, {different} different");
            differing += different + kept;
        }

        return differing == 0 ? 0 : 1;
    }

    private static string WithoutClone(string name) => name.IndexOf(" [clone ", StringComparison.Ordinal) is var at and > 0 ? name[..at] : name;

    private static string Blankless(string name) => name.Replace(" ", "", StringComparison.Ordinal);
}
