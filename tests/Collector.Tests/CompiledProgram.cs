using System.Diagnostics;

namespace ActorProfiler.Tests;

/// <summary>A C program compiled for one test, with the tools of binutils to look at it. Deleted with the object.</summary>
internal sealed class CompiledProgram : IDisposable
{
    public CompiledProgram(string source, string flags, string language = "c")
    {
        Requirements.Tool("gcc", "gcc");
        Folder = Directory.CreateTempSubdirectory("compiled").FullName;
        Path = System.IO.Path.Combine(Folder, "program");
        var file = Path + "." + language;
        File.WriteAllText(file, source);
        Run(language == "c" ? "gcc" : "g++", $"{flags} -o {Path} {file}");
    }

    public string Folder { get; }

    public string Path { get; }

    /// <summary>Runs a tool in the program's folder and returns what it printed.</summary>
    public string Run(string tool, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{tool} {arguments}: {errors.Result}");
        return output;
    }

    /// <summary>Addresses by name, as nm prints them.</summary>
    public Dictionary<string, ulong> Symbols() => Run("nm", Path).Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' ')).Where(fields => fields.Length == 3 && fields[0].Length == 16)
        .GroupBy(fields => fields[2]).ToDictionary(group => group.Key, group => Convert.ToUInt64(group.First()[0], 16));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
