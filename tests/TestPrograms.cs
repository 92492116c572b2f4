using System.Diagnostics;

namespace ActorProfiler.Tests;

/// <summary>Compiles and runs the programs of tests/testprograms.</summary>
internal static class TestPrograms
{
    /// <summary>Compiles a C program once per set of flags. Returns its path.</summary>
    public static string CompileC(string name, params string[] flags)
    {
        Requirements.Tool("gcc", "gcc");
        var folder = Path.Combine(AppContext.BaseDirectory, "testprograms");
        var output = Path.Combine(Directory.CreateTempSubdirectory("actorprofiler-").FullName, name);
        using var gcc = Process.Start("gcc", [.. flags, "-o", output, Path.Combine(folder, $"{name}.c")]);
        gcc.WaitForExit();
        Assert.Equal(0, gcc.ExitCode);
        return output;
    }

    /// <summary>Starts a program; disposing ends it.</summary>
    public static RunningProgram Start(string path, params string[] arguments) =>
        new(Process.Start(new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true })!);

    internal sealed class RunningProgram(Process process) : IDisposable
    {
        public int Pid => process.Id;

        public Process Process => process;

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.WaitForExit();
            process.Dispose();
        }
    }
}
