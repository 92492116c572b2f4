using System.CommandLine;
using ActorProfiler.Commands.Configuration;
using ActorProfiler.Configuration.Syntax;

namespace ActorProfiler.Commands.Format;

/// <summary><c>actorprofiler fmt</c>: the canonical form of a configuration.</summary>
internal static class FormatCommand
{
    private static readonly Argument<string> _config = new("CONFIG") { Description = "Configuration file; - for standard input" };
    private static readonly Option<bool> _write = new("--write", "-w") { Description = "Write the file instead of standard output" };
    private static readonly Option<bool> _test = new("--test", "-t") { Description = "Write nothing; exit code 1 when the file is not formatted" };

    public static Command Create()
    {
        var command = new Command("fmt", "Format a configuration file.") { _config, _write, _test };
        command.SetAction((parsed, _) => Failures.ReportAsync(() => Task.FromResult(Run(parsed.GetValue(_config)!, parsed.GetValue(_write), parsed.GetValue(_test)))));
        return command;
    }

    private static int Run(string path, bool writes, bool tests)
    {
        if (writes && (tests || path == "-"))
        {
            Console.Error.WriteLine("actorprofiler: --write needs a file and excludes --test");
            return ExitCode.Usage;
        }

        if ((path == "-" ? new SourceFile("stdin", Console.In.ReadToEnd()) : ConfigurationFile.Read(path, Console.Error)) is not { } file)
        {
            return ExitCode.Usage;
        }

        var diagnostics = new Diagnostics();
        if (Formatter.Format(file, diagnostics) is not { } formatted)
        {
            ConfigurationFile.Write(diagnostics.All, Console.Error);
            return ExitCode.Usage;
        }

        if (tests)
        {
            return formatted == file.Text ? ExitCode.Ok : ExitCode.Failure;
        }

        if (!writes)
        {
            Console.Write(formatted);
        }
        else if (formatted != file.Text)
        {
            Replace(path, formatted);
        }

        return ExitCode.Ok;
    }

    /// <summary>All of the new text or all of the old: a full disk must not eat a configuration.</summary>
    private static void Replace(string path, string text)
    {
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        var fresh = target + ".new";
        File.WriteAllText(fresh, text);
        File.SetUnixFileMode(fresh, File.GetUnixFileMode(target));
        File.Move(fresh, target, overwrite: true);
    }
}
