using System.Diagnostics;

namespace ActorProfiler.Oracles;

internal static class Tool
{
    /// <summary>Runs another tool on lines of input; gives its lines of output.</summary>
    public static List<string> Run(string name, IReadOnlyList<string> arguments, IEnumerable<string>? input = null)
    {
        using var tool = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = tool.StandardOutput.ReadToEndAsync();
        var errors = tool.StandardError.ReadToEndAsync();
        foreach (var line in input ?? [])
        {
            tool.StandardInput.WriteLine(line);
        }

        tool.StandardInput.Close();
        tool.WaitForExit();
        _ = errors.Result;
        return [.. output.Result.Split('\n')];
    }

    /// <summary>The functions of a file as nm lists them, of both its symbol tables.</summary>
    public static List<(ulong Address, ulong Size, string Name)> Functions(string path)
    {
        var functions = new List<(ulong, ulong, string)>();
        foreach (var line in Run("nm", ["--defined-only", "-S", path]).Concat(Run("nm", ["--defined-only", "-S", "-D", path])))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields is [var address, var size, [var type], var name] && "tTwWiuV".Contains(type, StringComparison.Ordinal))
            {
                functions.Add((Convert.ToUInt64(address, 16), Convert.ToUInt64(size, 16), WithoutVersion(name)));
            }
            else if (fields is [var only, [var letter], var unsized] && "tT".Contains(letter, StringComparison.Ordinal))
            {
                functions.Add((Convert.ToUInt64(only, 16), 0, WithoutVersion(unsized)));
            }
        }

        return functions;
    }

    /// <summary>Names of labels and of data among the code.</summary>
    public static HashSet<string> LabelsAndData(string path) =>
    [
        .. Run("readelf", ["-sW", path]).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(fields => fields is [_, _, _, "NOTYPE" or "OBJECT", _, _, _, _, ..]).Select(fields => fields[7]),
    ];

    public static string WithoutVersion(string name) => name.IndexOf('@', StringComparison.Ordinal) is var at and > 0 ? name[..at] : name;
}
